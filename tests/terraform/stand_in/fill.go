package main

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// finish gives every unknown of a planned object the value that it gets when it
// is made: what its behaviour says of the path, or of the last name on it, or the
// empty value, as the providers' SDK has it.
func finish(
	s *schema, kind *behaviour, planned cty.Value, id string, known map[string]string,
) cty.Value {
	known["id"] = id
	filled, _ := cty.Transform(planned, func(p cty.Path, v cty.Value) (cty.Value, error) {
		if v.IsKnown() {
			return v, nil
		}
		path := names(p)
		return kind.made(path, v.Type(), known), nil
	})
	return complete(&s.Block, filled)
}

func (b *behaviour) made(path string, shape cty.Type, known map[string]string) cty.Value {
	last := path[strings.LastIndex(path, ".")+1:]
	if given, found := b.Computed[path]; found {
		return fromJSON(expandAll(given, known), shape)
	}
	if given := known[strings.ReplaceAll(path, ".", "_")]; given != "" && shape.IsPrimitiveType() {
		return fromJSON(given, shape)
	}
	if given, found := b.Computed[last]; found {
		return fromJSON(expandAll(given, known), shape)
	}
	if shape.IsObjectType() {
		return b.madeObject(path, shape, known)
	}
	return empty(shape)
}

func (b *behaviour) madeObject(
	path string, shape cty.Type, known map[string]string,
) cty.Value {
	values := map[string]cty.Value{}
	for name, inner := range shape.AttributeTypes() {
		values[name] = b.made(join(path, name), inner, known)
	}
	return cty.ObjectVal(values)
}

func empty(shape cty.Type) cty.Value {
	switch {
	case shape == cty.String:
		return cty.StringVal("")
	case shape == cty.Number:
		return cty.Zero
	case shape == cty.Bool:
		return cty.False
	case shape.IsListType():
		return cty.ListValEmpty(shape.ElementType())
	case shape.IsSetType():
		return cty.SetValEmpty(shape.ElementType())
	case shape.IsMapType():
		return cty.MapValEmpty(shape.ElementType())
	}
	return cty.NullVal(shape)
}

// facts returns the known simple values of an object, as texts.
func facts(object cty.Value) map[string]string {
	told := map[string]string{}
	if missing(object) {
		return told
	}
	for name, value := range object.AsValueMap() {
		if !missing(value) && value.Type().IsPrimitiveType() {
			told[name] = text(value)
		}
	}
	for name, value := range facts(item(part(object, "metadata"), 0)) {
		told["metadata_"+name] = value
	}
	addManifest(told, object)
	return told
}

// addManifest tells the names of a kubernetes_manifest, which has no blocks.
func addManifest(told map[string]string, object cty.Value) {
	manifest := part(object, "manifest")
	if missing(manifest) || !manifest.Type().IsObjectType() {
		return
	}
	for name, value := range facts(manifest) {
		told["manifest_"+name] = value
	}
	if metadata := part(manifest, "metadata"); !missing(metadata) {
		for name, value := range facts(metadata) {
			told["metadata_"+name] = value
		}
	}
}

func text(value cty.Value) string {
	switch value.Type() {
	case cty.String:
		return value.AsString()
	case cty.Bool:
		if value.True() {
			return "true"
		}
		return "false"
	}
	return value.AsBigFloat().Text('f', -1)
}

func names(path cty.Path) string {
	var written []string
	for _, step := range path {
		if named, ok := step.(cty.GetAttrStep); ok {
			written = append(written, named.Name)
		}
	}
	return strings.Join(written, ".")
}
