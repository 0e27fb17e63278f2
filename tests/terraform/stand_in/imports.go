package main

import (
	"path"

	"github.com/zclconf/go-cty/cty"
)

// What the helm provider reads from nowhere but the state.
var ofHelmsState = []string{"chart", "repository", "values"}

// imported returns what the real providers know of an object that they import.
func imported(k *kind, found cty.Value) cty.Value {
	state := fromJSON(map[string]any{}, k.shape()).AsValueMap()
	if k.name == "helm_release" {
		chart := text(found.GetAttr("chart"))
		state["chart"] = cty.StringVal(path.Base(chart))
	}
	return remembered(k, found, cty.ObjectVal(state))
}

// remembered returns what the real providers read of an object: without the labels that
// the state does not have (SetLabels in the google provider's package tpgresource).
func remembered(k *kind, found, state cty.Value) cty.Value {
	values := found.AsValueMap()
	if _, labelled := k.schema.Block.Attributes["effective_labels"]; labelled {
		for _, name := range []string{ownLabels(k), "terraform_labels"} {
			values[name] = known(values[name], part(state, name))
		}
	}
	if k.name == "helm_release" {
		for _, name := range ofHelmsState {
			values[name] = state.GetAttr(name)
		}
	}
	return cty.ObjectVal(values)
}

func known(labels, state cty.Value) cty.Value {
	kept := map[string]cty.Value{}
	if !missing(labels) && !missing(state) {
		for name := range state.AsValueMap() {
			if value, found := labels.AsValueMap()[name]; found {
				kept[name] = value
			}
		}
	}
	switch {
	case len(kept) > 0:
		return cty.MapVal(kept)
	case missing(state):
		return cty.NullVal(cty.Map(cty.String))
	}
	return cty.MapValEmpty(cty.String)
}

// recompute is what the helm provider does at plan: recomputeMetadata.
func recompute(k *kind, prior cty.Value, planned map[string]cty.Value) {
	if k.name != "helm_release" || prior.IsNull() {
		return
	}
	for _, name := range append(ofHelmsState, "version") {
		if !planned[name].RawEquals(prior.GetAttr(name)) {
			planned["metadata"] = cty.UnknownVal(planned["metadata"].Type())
			return
		}
	}
}
