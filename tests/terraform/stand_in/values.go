package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"github.com/zclconf/go-cty/cty/msgpack"
)

func decode(value *tfprotov6.DynamicValue, shape cty.Type) (cty.Value, error) {
	switch {
	case value == nil:
		return cty.NullVal(shape), nil
	case len(value.MsgPack) > 0:
		return msgpack.Unmarshal(value.MsgPack, shape)
	}
	return ctyjson.Unmarshal(value.JSON, shape)
}

func encode(value cty.Value, shape cty.Type) (*tfprotov6.DynamicValue, error) {
	packed, err := msgpack.Marshal(value, shape)
	return &tfprotov6.DynamicValue{MsgPack: packed}, err
}

// toJSON returns a wholly known value as JSON has it.
func toJSON(value cty.Value) (any, error) {
	text, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		return nil, err
	}
	return parse(text)
}

func parse(text []byte) (any, error) {
	reader := json.NewDecoder(bytes.NewReader(text))
	reader.UseNumber()
	var read any
	err := reader.Decode(&read)
	return read, err
}

// fromJSON returns what JSON says as a value of a type; what it lacks is null.
func fromJSON(given any, shape cty.Type) cty.Value {
	switch {
	case given == nil:
		return cty.NullVal(shape)
	case shape == cty.DynamicPseudoType:
		return implied(given)
	case shape.IsPrimitiveType():
		return primitive(given, shape)
	case shape.IsObjectType():
		return objectFromJSON(given, shape)
	case shape.IsMapType():
		return mapFromJSON(given, shape)
	}
	return sequenceFromJSON(given, shape)
}

func primitive(given any, shape cty.Type) cty.Value {
	text := fmt.Sprint(given)
	converted, err := convert.Convert(cty.StringVal(text), shape)
	if err != nil {
		return cty.NullVal(shape)
	}
	return converted
}

func objectFromJSON(given any, shape cty.Type) cty.Value {
	fields, ok := given.(map[string]any)
	if !ok {
		return cty.NullVal(shape)
	}
	values := map[string]cty.Value{}
	for name, inner := range shape.AttributeTypes() {
		values[name] = fromJSON(fields[name], inner)
	}
	return cty.ObjectVal(values)
}

func mapFromJSON(given any, shape cty.Type) cty.Value {
	fields, ok := given.(map[string]any)
	if !ok {
		return cty.NullVal(shape)
	}
	values := map[string]cty.Value{}
	for name, inner := range fields {
		values[name] = fromJSON(inner, shape.ElementType())
	}
	if len(values) == 0 {
		return cty.MapValEmpty(shape.ElementType())
	}
	return cty.MapVal(values)
}

func sequenceFromJSON(given any, shape cty.Type) cty.Value {
	elements, ok := given.([]any)
	if !ok {
		return cty.NullVal(shape)
	}
	var values []cty.Value
	for _, element := range elements {
		values = append(values, fromJSON(element, shape.ElementType()))
	}
	switch {
	case len(values) == 0 && shape.IsSetType():
		return cty.SetValEmpty(shape.ElementType())
	case len(values) == 0:
		return cty.ListValEmpty(shape.ElementType())
	case shape.IsSetType():
		return cty.SetVal(values)
	}
	return cty.ListVal(values)
}

func implied(given any) cty.Value {
	text, err := json.Marshal(given)
	if err != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	shape, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	value, err := ctyjson.Unmarshal(text, shape)
	if err != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return value
}

// complete makes every absent list, set or map of blocks an empty one: Terraform
// has no null blocks.
func complete(b *block, value cty.Value) cty.Value {
	if missing(value) {
		return value
	}
	values := value.AsValueMap()
	for name, nested := range b.Blocks {
		values[name] = completeNested(nested, values[name])
	}
	return cty.ObjectVal(values)
}

func completeNested(nested *nestedBlock, value cty.Value) cty.Value {
	shape := value.Type()
	switch {
	case nested.Mode == "single":
		return complete(&nested.Block, value)
	case nested.Mode == "map":
		return value
	case value.IsNull() && shape.IsSetType():
		return cty.SetValEmpty(shape.ElementType())
	case value.IsNull():
		return cty.ListValEmpty(shape.ElementType())
	}
	var elements []cty.Value
	for _, element := range value.AsValueSlice() {
		elements = append(elements, complete(&nested.Block, element))
	}
	switch {
	case elements == nil:
		return value
	case shape.IsSetType():
		return cty.SetVal(elements)
	}
	return cty.ListVal(elements)
}
