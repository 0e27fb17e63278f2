package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
)

// mayCreate is what Google refuses before it makes an object.
func (r *registry) mayCreate(
	there *contents, k *kind, id string, known map[string]string,
) error {
	if err := r.apiEnabled(there, k, known); err != nil {
		return err
	}
	for _, attribute := range sorted(k.behaviour.Parents) {
		parent := k.behaviour.Parents[attribute]
		if known[attribute] == "" || known[attribute] == "default" {
			continue
		}
		if !exists(there, parent, known[attribute], known["project"]) {
			return fmt.Errorf("Error creating %s: %w", k.title(), notFound(known[attribute]))
		}
	}
	shared := k.behaviour.Shared || known[k.behaviour.SharedIf] == "true"
	if there.Objects[key(k.name, id)] == nil || shared {
		return nil
	}
	if k.behaviour.Exists != "" {
		return errors.New(expand(k.behaviour.Exists, known))
	}
	return fmt.Errorf(
		"Error creating %s: googleapi: Error 409: The resource '%s' already exists, "+
			"alreadyExists", k.title(), id,
	)
}

func (r *registry) apiEnabled(
	there *contents, k *kind, known map[string]string,
) error {
	wanted := &faults{}
	if err := readJSON(r.cloud.file("faults.json"), wanted); err != nil {
		return err
	}
	service, project := k.behaviour.Service, known["project"]
	if !wanted.APIs || service == "" || enabled(there, project, service) {
		return nil
	}
	number := digits(project, 12)
	return fmt.Errorf(
		"Error creating %s: googleapi: Error 403: %s API has not been used in project "+
			"%s before or it is disabled. Enable it by visiting "+
			"https://console.developers.google.com/apis/api/%s/overview?project=%s then "+
			"retry. If you enabled this API recently, wait a few minutes for the action "+
			"to propagate to our systems and retry., accessNotConfigured",
		k.title(), serviceTitle(service), number, service, number,
	)
}

func serviceTitle(service string) string {
	name, _, _ := strings.Cut(service, ".")
	return strings.ToUpper(name[:1]) + name[1:]
}

func enabled(there *contents, project, service string) bool {
	return there.Objects[key("google_project_service", project+"/"+service)] != nil
}

func exists(there *contents, kind, reference, project string) bool {
	for _, object := range there.Objects {
		if object.Type == kind && object.isCalled(reference, project) {
			return true
		}
	}
	return false
}

// isCalled says whether a reference (a name, an id or a link) means this object.
func (o *object) isCalled(reference, project string) bool {
	if reference == "" {
		return false
	}
	link, _ := o.Values["self_link"].(string)
	if reference == o.ID || reference == link || strings.HasSuffix(reference, "/"+o.ID) {
		return true
	}
	own, _ := o.Values["project"].(string)
	sameProject := project == "" || own == "" || project == own
	return sameProject && strings.HasSuffix(o.ID, "/"+reference)
}

// mayDelete is what the provider, and then Google, refuse.
func mayDelete(there *contents, k *kind, id string, prior cty.Value) error {
	if is(part(prior, "deletion_protection"), "true") {
		return errors.New(protected(k))
	}
	if is(part(prior, "deletion_policy"), "PREVENT") {
		return fmt.Errorf(
			"Cannot destroy %s because deletion_policy is set to PREVENT.", k.title(),
		)
	}
	deleted := there.Objects[key(k.name, id)]
	if deleted == nil {
		return nil
	}
	for _, name := range sorted(there.Objects) {
		other := there.Objects[name]
		for _, attribute := range k.behaviour.UsedBy {
			project, _ := other.Values["project"].(string)
			reference, _ := other.Values[attribute].(string)
			if other != deleted && deleted.isCalled(reference, project) {
				return inUse(k, id, other)
			}
		}
	}
	return nil
}

func protected(k *kind) string {
	what := strings.ToLower(k.title())
	return fmt.Sprintf(
		"Cannot destroy %s because deletion_protection is set to true. "+
			"Set it to false to proceed with %s deletion.", what, what,
	)
}

func inUse(k *kind, id string, user *object) error {
	return fmt.Errorf(
		"Error waiting for Deleting %s: The %s resource '%s' is already being used by "+
			"'%s'", k.title(), strings.ToLower(k.title()), id, user.ID,
	)
}

func (k *kind) title() string {
	if k.behaviour.Title != "" {
		return k.behaviour.Title
	}
	return k.name
}

// A misplaced value is refused at its place.
type misplaced struct {
	path *tftypes.AttributePath
	text string
}

func (m *misplaced) Error() string { return m.text }

// refusedValues is what the provider's own validation finds.
func refusedValues(k *kind, config cty.Value) []*tfprotov6.Diagnostic {
	var found []*tfprotov6.Diagnostic
	_ = cty.Walk(config, func(p cty.Path, v cty.Value) (bool, error) {
		allowed, limited := k.behaviour.Allowed[names(p)]
		if !limited || missing(v) || !v.Type().IsPrimitiveType() {
			return true, nil
		}
		if err := outside(p, v, allowed); err != nil {
			found = append(found, problems(err)...)
		}
		return true, nil
	})
	return found
}

func outside(p cty.Path, v cty.Value, allowed []any) error {
	var options []string
	for _, option := range allowed {
		options = append(options, fmt.Sprintf("%q", fmt.Sprint(option)))
		if text(v) == fmt.Sprint(option) {
			return nil
		}
	}
	attribute := names(p)[strings.LastIndex(names(p), ".")+1:]
	return &misplaced{protocolPath(p), fmt.Sprintf(
		"expected %s to be one of [%s], got %s",
		attribute, strings.Join(options, " "), text(v),
	)}
}

func protocolPath(path cty.Path) *tftypes.AttributePath {
	told := tftypes.NewAttributePath()
	for _, step := range path {
		switch step := step.(type) {
		case cty.GetAttrStep:
			told = told.WithAttributeName(step.Name)
		case cty.IndexStep:
			if step.Key.Type() != cty.Number {
				return told
			}
			index, _ := step.Key.AsBigFloat().Int64()
			told = told.WithElementKeyInt(int(index))
		}
	}
	return told
}
