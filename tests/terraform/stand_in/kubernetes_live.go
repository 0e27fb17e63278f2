package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// fromKubernetes returns a block as Terraform's state has it, from what the API
// server has. What the state does not say stays unsaid: Kubernetes fills in many
// defaults. What is unknown is taken.
func fromKubernetes(b *block, state cty.Value, live map[string]any) cty.Value {
	if missing(state) {
		return state
	}
	values := state.AsValueMap()
	for name, a := range b.Attributes {
		if isOwn(name, nil) && values[name].IsKnown() {
			continue
		}
		values[name] = liveAttribute(name, a, values[name], live)
	}
	for name, nested := range b.Blocks {
		if !isOwn(name, nil) {
			values[name] = liveBlocks(name, nested, values[name], live)
		}
	}
	return cty.ObjectVal(values)
}

func liveAttribute(
	name string, a *attribute, state cty.Value, live map[string]any,
) cty.Value {
	given, found := live[kubernetesName(name, false)]
	switch {
	case state.IsKnown() && state.IsNull():
		return state
	case !found && isZero(state):
		return state
	case !found:
		return cty.NullVal(a.Type())
	}
	if fields, ok := given.(map[string]any); ok && (name == "labels" || name == "annotations") {
		kept := withoutInternal(fields, state)
		if len(kept) == 0 && !state.IsKnown() {
			return cty.NullVal(a.Type())
		}
		given = kept
	}
	if state.IsWhollyKnown() && alike(plain(name, state), given) {
		return state
	}
	if number, isNumber := given.(json.Number); isNumber && a.Type() == cty.String {
		given = numberText(name, number)
	}
	return fromJSON(given, a.Type())
}

// The API server leaves out what is empty, 0 or false.
func isZero(state cty.Value) bool {
	return state.IsWhollyKnown() && empty(state.Type()).RawEquals(state)
}

// withoutInternal leaves out what Kubernetes itself writes, as the provider does: all
// of its own domains that the state does not have, and so all after an import.
func withoutInternal(fields map[string]any, state cty.Value) map[string]any {
	known := map[string]cty.Value{}
	if !missing(state) {
		known = state.AsValueMap()
	}
	kept := map[string]any{}
	for name, value := range fields {
		domain, _, _ := strings.Cut(name, "/")
		internal := strings.HasSuffix(domain, "kubernetes.io") &&
			domain != "app.kubernetes.io" && domain != "service.beta.kubernetes.io"
		if _, own := known[name]; own || !internal {
			kept[name] = value
		}
	}
	return kept
}

func numberText(name string, number json.Number) string {
	for _, octal := range octalTexts {
		if whole, err := number.Int64(); err == nil && name == octal {
			return fmt.Sprintf("%#o", whole)
		}
	}
	return number.String()
}

func liveBlocks(
	name string, nested *nestedBlock, state cty.Value, live map[string]any,
) cty.Value {
	given := live[kubernetesName(name, !isSingle(name, nested))]
	if nested.Mode != "list" || missing(state) || state.LengthInt() == 0 {
		return state
	}
	elements, isList := given.([]any)
	if !isList {
		elements = []any{given}
	}
	var values []cty.Value
	for index, element := range elements {
		fields, isObject := element.(map[string]any)
		switch known := item(state, index); {
		case !isObject:
			continue
		case known == cty.NilVal:
			values = append(values, wholeBlock(&nested.Block, fields))
		default:
			values = append(values, fromKubernetes(&nested.Block, known, fields))
		}
	}
	if len(values) == 0 {
		return cty.ListValEmpty(nested.Block.Type())
	}
	return cty.ListVal(values)
}

// wholeBlock is for what somebody else added: all of it is news.
func wholeBlock(b *block, live map[string]any) cty.Value {
	unknown := map[string]cty.Value{}
	for name, a := range b.Attributes {
		unknown[name] = cty.UnknownVal(a.Type())
	}
	for name, nested := range b.Blocks {
		unknown[name] = cty.NullVal(collection(nested.Mode, nested.Block.Type()))
	}
	return complete(b, fromKubernetes(b, cty.ObjectVal(unknown), live))
}

// alike says whether the API server has what was wanted, in its own spelling, as it
// has for quantities: "1000m" is "1". It may have more fields.
func alike(wanted, live any) bool {
	switch wanted := wanted.(type) {
	case map[string]any:
		fields, ok := live.(map[string]any)
		for name, inner := range wanted {
			if !ok || !alike(inner, fields[name]) {
				return false
			}
		}
		return ok && len(fields) == len(wanted)
	case []any:
		elements, ok := live.([]any)
		if !ok || len(elements) != len(wanted) {
			return false
		}
		for index, inner := range wanted {
			if !alike(inner, elements[index]) {
				return false
			}
		}
		return true
	}
	return sameQuantity(fmt.Sprint(wanted), fmt.Sprint(live))
}

func sameQuantity(wanted, live string) bool {
	if wanted == live {
		return true
	}
	first, second := quantity(wanted), quantity(live)
	return first != nil && second != nil && first.Cmp(second) == 0
}

var binarySuffixes = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}

var decimalSuffixes = map[string]string{
	"m": "e-3", "k": "e3", "M": "e6", "G": "e9", "T": "e12", "P": "e15",
}

func quantity(words string) *big.Rat {
	for power, suffix := range binarySuffixes {
		if power == 0 || !strings.HasSuffix(words, suffix) {
			continue
		}
		number, ok := new(big.Rat).SetString(strings.TrimSuffix(words, suffix))
		if !ok {
			return nil
		}
		factor := new(big.Int).Lsh(big.NewInt(1), uint(10*power))
		return number.Mul(number, new(big.Rat).SetInt(factor))
	}
	for suffix, power := range decimalSuffixes {
		if strings.HasSuffix(words, suffix) {
			words = strings.TrimSuffix(words, suffix) + power
		}
	}
	if _, err := strconv.ParseFloat(words, 64); err != nil {
		return nil
	}
	number, _ := new(big.Rat).SetString(words)
	return number
}

// merged returns a manifest in which the API server's values stand where they differ.
func merged(manifest, live any) any {
	switch manifest := manifest.(type) {
	case map[string]any:
		fields, ok := live.(map[string]any)
		if !ok {
			return live
		}
		result := map[string]any{}
		for name, inner := range manifest {
			if given, found := fields[name]; found {
				result[name] = merged(inner, given)
			}
		}
		return result
	case []any:
		elements, ok := live.([]any)
		if !ok || len(elements) != len(manifest) {
			return live
		}
		result := make([]any, 0, len(manifest))
		for index, inner := range manifest {
			result = append(result, merged(inner, elements[index]))
		}
		return result
	}
	if alike(manifest, live) {
		return manifest
	}
	return live
}
