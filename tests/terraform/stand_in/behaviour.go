package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A behaviour is what a schema does not say about a type; see behaviours/*.yaml.
type behaviour struct {
	ID             string            `yaml:"id"`
	Title          string            `yaml:"title"`
	ForceNew       []string          `yaml:"force_new"`
	Defaults       map[string]any    `yaml:"defaults"`
	Computed       map[string]any    `yaml:"computed"`
	ComputedBlocks []string          `yaml:"computed_blocks"`
	Allowed        map[string][]any  `yaml:"allowed"`
	Parents        map[string]string `yaml:"parents"`
	UsedBy         []string          `yaml:"used_by"`
	Owns           string            `yaml:"owns"`
	Shared         bool              `yaml:"shared"`
	SharedIf       string            `yaml:"shared_if"`
	Service        string            `yaml:"service"`
	Exists         string            `yaml:"exists"`
	APIVersion     string            `yaml:"api_version"`
	Kind           string            `yaml:"kind"`
}

type behaviours map[string]*behaviour

func readBehaviours(provider string) (behaviours, error) {
	file := filepath.Join(os.Getenv(dataVariable), "behaviours", provider+".yaml")
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return behaviours{}, nil
	} else if err != nil {
		return nil, err
	}
	read := behaviours{}
	return read, yaml.Unmarshal(text, &read)
}

// of returns how a type behaves; what holds for every type stands under "any".
func (all behaviours) of(name string) *behaviour {
	found, known := all[name]
	if !known {
		found = &behaviour{}
	}
	merged := *found
	merged.Computed = map[string]any{}
	for _, source := range []*behaviour{all["any"], found} {
		if source != nil {
			for path, value := range source.Computed {
				merged.Computed[path] = value
			}
		}
	}
	if merged.ID == "" {
		merged.ID = "{name}"
	}
	return &merged
}

func (b *behaviour) computesBlock(path string) bool {
	return slices.Contains(b.ComputedBlocks, path)
}

var placeholder = regexp.MustCompile(`\{([a-z_0-9]+)(?::(\d+|last))?\}`)

// identifies says whether an attribute is a part of the object's name.
func (b *behaviour) identifies(attribute string) bool {
	for _, match := range placeholder.FindAllStringSubmatch(b.ID, -1) {
		if match[1] == attribute {
			return true
		}
	}
	return false
}

// expand writes an object's own values into `text`.
//
// `{hex:N}` and `{digits:N}` are made of the object's id, so that they are the
// same in each run and differ between objects. `{NAME:last}` is the last part of a
// path, where an attribute may have a name or an id.
func expand(text string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		match := placeholder.FindStringSubmatch(found)
		length, _ := strconv.Atoi(match[2])
		switch match[1] {
		case "hex":
			return digest(values["id"])[:length]
		case "digits":
			return digits(values["id"], length)
		}
		value := values[match[1]]
		if match[2] == "last" {
			return value[strings.LastIndex(value, "/")+1:]
		}
		return value
	})
}

func expandAll(value any, values map[string]string) any {
	switch value := value.(type) {
	case string:
		return expand(value, values)
	case []any:
		expanded := make([]any, 0, len(value))
		for _, element := range value {
			expanded = append(expanded, expandAll(element, values))
		}
		return expanded
	case map[string]any:
		expanded := map[string]any{}
		for name, element := range value {
			expanded[name] = expandAll(element, values)
		}
		return expanded
	}
	return value
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func digits(text string, length int) string {
	var written strings.Builder
	for _, letter := range digest(text) {
		fmt.Fprintf(&written, "%d", letter%9+1)
	}
	return written.String()[:length]
}
