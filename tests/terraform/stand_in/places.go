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

func ownLabels(k *kind) string {
	if k.name == "google_container_cluster" {
		return "resource_labels"
	}
	return "labels"
}

// label does what the google provider does at plan: the labels on the object are
// those of the configuration, of the provider, one of its own, and those of others.
func (p *provider) label(k *kind, prior cty.Value, planned map[string]cty.Value) {
	if _, found := k.schema.Block.Attributes["effective_labels"]; !found {
		return
	}
	own := planned[ownLabels(k)]
	if own != cty.NilVal && !own.IsNull() && !own.IsWhollyKnown() {
		planned["effective_labels"] = cty.UnknownVal(cty.Map(cty.String))
		planned["terraform_labels"] = cty.UnknownVal(cty.Map(cty.String))
		return
	}
	planned["terraform_labels"] = p.allLabels(own, nil)
	planned["effective_labels"] = p.allLabels(own, othersLabels(prior))
}

func othersLabels(prior cty.Value) map[string]cty.Value {
	labels := map[string]cty.Value{}
	if there := part(prior, "effective_labels"); !missing(there) {
		labels = there.AsValueMap()
	}
	if ours := part(prior, "terraform_labels"); !missing(ours) {
		for name := range ours.AsValueMap() {
			delete(labels, name)
		}
	}
	return labels
}

func (p *provider) allLabels(own cty.Value, others map[string]cty.Value) cty.Value {
	labels := map[string]cty.Value{}
	for name, value := range others {
		labels[name] = value
	}
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
