package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// The shape of one provider in `terraform providers schema -json`.
type providerSchema struct {
	Provider    *schema            `json:"provider"`
	Resources   map[string]*schema `json:"resource_schemas"`
	DataSources map[string]*schema `json:"data_source_schemas"`
}

type schema struct {
	Version int64 `json:"version"`
	Block   block `json:"block"`
}

type block struct {
	Attributes map[string]*attribute   `json:"attributes"`
	Blocks     map[string]*nestedBlock `json:"block_types"`
}

type attribute struct {
	RawType   json.RawMessage   `json:"type"`
	Nested    *nestedAttributes `json:"nested_type"`
	Required  bool              `json:"required"`
	Optional  bool              `json:"optional"`
	Computed  bool              `json:"computed"`
	Sensitive bool              `json:"sensitive"`
	WriteOnly bool              `json:"write_only"`
	Obsolete  bool              `json:"deprecated"`
}

type nestedAttributes struct {
	Attributes map[string]*attribute `json:"attributes"`
	Mode       string                `json:"nesting_mode"`
}

type nestedBlock struct {
	Block    block  `json:"block"`
	Mode     string `json:"nesting_mode"`
	MinItems int64  `json:"min_items"`
	MaxItems int64  `json:"max_items"`
}

func readSchema(provider string) (*providerSchema, error) {
	file := filepath.Join(os.Getenv(dataVariable), "schemas", provider+".schema.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	read := &providerSchema{}
	return read, json.Unmarshal(text, read)
}

func (b *block) Type() cty.Type {
	types := map[string]cty.Type{}
	for name, a := range b.Attributes {
		types[name] = a.Type()
	}
	for name, nested := range b.Blocks {
		types[name] = collection(nested.Mode, nested.Block.Type())
	}
	return cty.Object(types)
}

func (a *attribute) Type() cty.Type {
	if a.Nested != nil {
		return collection(a.Nested.Mode, a.Nested.block().Type())
	}
	read, err := ctyjson.UnmarshalType(a.RawType)
	if err != nil {
		panic(err)
	}
	return read
}

// Nested attributes are walked as blocks are.
func (n *nestedAttributes) block() *block {
	return &block{Attributes: n.Attributes}
}

func collection(mode string, element cty.Type) cty.Type {
	switch mode {
	case "list":
		return cty.List(element)
	case "set":
		return cty.Set(element)
	case "map":
		return cty.Map(element)
	}
	return element
}

func (s *schema) protocol() *tfprotov6.Schema {
	return &tfprotov6.Schema{Version: s.Version, Block: s.Block.protocol()}
}

func (b *block) protocol() *tfprotov6.SchemaBlock {
	answer := &tfprotov6.SchemaBlock{Attributes: protocolAttributes(b.Attributes)}
	for _, name := range sorted(b.Blocks) {
		nested := b.Blocks[name]
		answer.BlockTypes = append(answer.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name,
			Block:    nested.Block.protocol(),
			Nesting:  blockModes[nested.Mode],
			MinItems: nested.MinItems,
			MaxItems: nested.MaxItems,
		})
	}
	return answer
}

var blockModes = map[string]tfprotov6.SchemaNestedBlockNestingMode{
	"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov6.SchemaNestedBlockNestingModeList,
	"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
	"map":    tfprotov6.SchemaNestedBlockNestingModeMap,
}

var attributeModes = map[string]tfprotov6.SchemaObjectNestingMode{
	"single": tfprotov6.SchemaObjectNestingModeSingle,
	"list":   tfprotov6.SchemaObjectNestingModeList,
	"set":    tfprotov6.SchemaObjectNestingModeSet,
	"map":    tfprotov6.SchemaObjectNestingModeMap,
}

func protocolAttributes(all map[string]*attribute) []*tfprotov6.SchemaAttribute {
	var answer []*tfprotov6.SchemaAttribute
	for _, name := range sorted(all) {
		a := all[name]
		told := &tfprotov6.SchemaAttribute{
			Name:       name,
			Required:   a.Required,
			Optional:   a.Optional,
			Computed:   a.Computed,
			Sensitive:  a.Sensitive,
			WriteOnly:  a.WriteOnly,
			Deprecated: a.Obsolete,
		}
		if a.Nested != nil {
			told.NestedType = &tfprotov6.SchemaObject{
				Attributes: protocolAttributes(a.Nested.Attributes),
				Nesting:    attributeModes[a.Nested.Mode],
			}
		} else {
			told.Type = protocolType(a.RawType)
		}
		answer = append(answer, told)
	}
	return answer
}

func protocolType(raw json.RawMessage) tftypes.Type {
	//nolint:staticcheck // the only reader of a type's JSON there is
	read, err := tftypes.ParseJSONType(raw)
	if err != nil {
		panic(err)
	}
	return read
}

func sorted[V any](all map[string]V) []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
