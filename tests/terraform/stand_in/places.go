package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// place fills in what the google provider takes from its own configuration.
func (p *provider) place(k *kind, planned map[string]cty.Value, config cty.Value) {
	if p.name != "google" {
		return
	}
	for _, name := range []string{"project", "region", "zone"} {
		a := k.schema.Block.Attributes[name]
		if a == nil || !a.Computed || !part(config, name).IsNull() {
			continue
		}
		if given := p.setting(name); given != "" {
			planned[name] = cty.StringVal(given)
		}
	}
}

func (p *provider) setting(name string) string {
	if name == "location" {
		if zone := p.setting("zone"); zone != "" {
			return zone
		}
		name = "region"
	}
	if given, found := p.config[name]; found && !missing(given) {
		return text(given)
	}
	return ""
}

// label does what the google provider does at plan: the labels on the object are
// those of the configuration, of the provider, and one of its own.
func (p *provider) label(k *kind, planned map[string]cty.Value) {
	if _, found := k.schema.Block.Attributes["effective_labels"]; !found {
		return
	}
	own := planned["labels"]
	if k.name == "google_container_cluster" {
		own = planned["resource_labels"]
	}
	effective := cty.UnknownVal(cty.Map(cty.String))
	if own == cty.NilVal || own.IsNull() || own.IsWhollyKnown() {
		effective = p.allLabels(own)
	}
	planned["effective_labels"] = effective
	planned["terraform_labels"] = effective
}

func (p *provider) allLabels(own cty.Value) cty.Value {
	labels := map[string]cty.Value{}
	if !is(p.config["add_terraform_attribution_label"], "false") {
		labels["goog-terraform-provisioned"] = cty.StringVal("true")
	}
	for _, source := range []cty.Value{p.config["default_labels"], own} {
		if !missing(source) {
			for name, value := range source.AsValueMap() {
				labels[name] = value
			}
		}
	}
	if len(labels) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	return cty.MapVal(labels)
}

var clusterID = regexp.MustCompile(`^projects/([^/]+)/locations/([^/]+)/clusters/`)

// known returns the simple values of an object to be made, with its name and the
// provider's own settings.
func (p *provider) known(planned cty.Value) map[string]string {
	told := map[string]string{}
	for _, name := range []string{"project", "region", "zone", "location"} {
		told[name] = p.setting(name)
	}
	if match := clusterID.FindStringSubmatch(facts(planned)["cluster"]); match != nil {
		told["project"], told["location"] = match[1], match[2]
	}
	for name, value := range facts(planned) {
		told[name] = value
	}
	for _, prefix := range []string{"name_prefix", "metadata_generate_name"} {
		name := strings.Replace(strings.TrimSuffix(prefix, "_prefix"), "generate_", "", 1)
		if told[prefix] != "" && told[name] == "" {
			told[name] = fmt.Sprintf("%s%08d", told[prefix], rand.IntN(100_000_000))
		}
	}
	return told
}
