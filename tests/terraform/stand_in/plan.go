package main

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// A planner does what the real providers' SDK does to the proposed new state:
// what the provider decides is unknown until it is made, defaults are filled in.
type planner struct {
	behaviour *behaviour
}

// block plans one block. A null `prior` is a block that does not exist yet.
func (p *planner) block(
	b *block, prior, proposed, config cty.Value, path string,
) cty.Value {
	if proposed.IsNull() || !proposed.IsKnown() {
		return proposed
	}
	values := proposed.AsValueMap()
	for name, a := range b.Attributes {
		at := join(path, name)
		values[name] = p.attribute(
			a, part(prior, name), values[name], part(config, name), at, missing(prior),
		)
	}
	for name, nested := range b.Blocks {
		at := join(path, name)
		values[name] = p.nested(
			&nested.Block, nested.Mode, part(prior, name), values[name],
			part(config, name), at,
		)
		if p.behaviour.computesBlock(at) {
			values[name] = computedBlock(part(prior, name), values[name], missing(prior))
		}
	}
	return cty.ObjectVal(values)
}

func (p *planner) attribute(
	a *attribute, prior, proposed, config cty.Value, path string, isNew bool,
) cty.Value {
	switch {
	case a.WriteOnly:
		return cty.NullVal(proposed.Type())
	case !proposed.IsNull() && a.Nested != nil:
		nested := a.Nested
		return p.nested(nested.block(), nested.Mode, prior, proposed, config, path)
	case !proposed.IsNull():
		return proposed
	}
	if given, found := p.behaviour.Defaults[path]; found {
		return fromJSON(given, proposed.Type())
	}
	if a.Computed && isNew {
		return cty.UnknownVal(proposed.Type())
	}
	return proposed
}

func (p *planner) nested(
	b *block, mode string, prior, proposed, config cty.Value, path string,
) cty.Value {
	if proposed.IsNull() || !proposed.IsKnown() {
		return proposed
	}
	switch mode {
	case "list":
		return p.list(b, prior, proposed, config, path)
	case "set":
		return p.set(b, prior, proposed, path)
	case "map":
		return proposed
	}
	return p.block(b, prior, proposed, config, path)
}

func (p *planner) list(
	b *block, prior, proposed, config cty.Value, path string,
) cty.Value {
	var planned []cty.Value
	for index, element := range proposed.AsValueSlice() {
		planned = append(planned, p.block(
			b, item(prior, index), element, item(config, index), path,
		))
	}
	if planned == nil {
		return proposed
	}
	return cty.ListVal(planned)
}

// The elements of a set have no names: one that was there before stays as it is.
func (p *planner) set(b *block, prior, proposed cty.Value, path string) cty.Value {
	var planned []cty.Value
	for _, element := range proposed.AsValueSlice() {
		before := cty.NullVal(element.Type())
		if holds(prior, element) {
			before = element
		}
		planned = append(planned, p.block(b, before, element, element, path))
	}
	if planned == nil {
		return proposed
	}
	return cty.SetVal(planned)
}

// computedBlock is for a block that the provider fills in where it is not written.
func computedBlock(prior, proposed cty.Value, isNew bool) cty.Value {
	if !proposed.IsKnown() || proposed.IsNull() || proposed.LengthInt() > 0 {
		return proposed
	}
	if isNew {
		return cty.UnknownVal(proposed.Type())
	}
	return prior
}

func holds(set, element cty.Value) bool {
	if missing(set) || !element.IsWhollyKnown() {
		return false
	}
	return set.IsWhollyKnown() && set.HasElement(element).True()
}

func missing(value cty.Value) bool {
	return value == cty.NilVal || value.IsNull() || !value.IsKnown()
}

func part(object cty.Value, name string) cty.Value {
	if missing(object) || !object.Type().HasAttribute(name) {
		return cty.NilVal
	}
	return object.GetAttr(name)
}

func item(list cty.Value, index int) cty.Value {
	if missing(list) || !list.Type().IsListType() || index >= list.LengthInt() {
		return cty.NilVal
	}
	return list.Index(cty.NumberIntVal(int64(index)))
}

func join(path, name string) string {
	return strings.TrimPrefix(path+"."+name, ".")
}
