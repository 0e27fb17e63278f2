package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// A server keeps objects where the kubernetes provider really does: in a cluster.
type server struct {
	cluster  *cluster
	cloud    *cloud
	provider *provider
}

// A place is where the API server has an object.
type place struct {
	path, title, namespace, name string
}

func (p *place) id() string { return strings.TrimPrefix(p.namespace+"/"+p.name, "/") }

// document returns the object of a state or a plan as the API server wants it.
func (s *server) document(k *kind, value, config cty.Value) map[string]any {
	if k.name == "kubernetes_manifest" {
		written, _ := toJSON(value.GetAttr("manifest"))
		manifest, _ := written.(map[string]any)
		return manifest
	}
	written := toKubernetes(&k.schema.Block, value)
	written["apiVersion"], written["kind"] = k.behaviour.APIVersion, k.behaviour.Kind
	if k.name == "kubernetes_secret_v1" {
		encodeSecret(written, config)
	}
	return written
}

// place finds the path of an object by the API server's own list of resources.
func (s *server) place(ctx context.Context, document map[string]any) (*place, error) {
	version, kind := fmt.Sprint(document["apiVersion"]), document["kind"]
	prefix := "/apis/" + version
	if !strings.Contains(version, "/") {
		prefix = "/api/" + version
	}
	known, err := s.cluster.get(ctx, prefix)
	if err != nil {
		return nil, err
	}
	listed, _ := known["resources"].([]any)
	for _, one := range listed {
		resource, _ := one.(map[string]any)
		plural, _ := resource["name"].(string)
		if resource["kind"] == kind && !strings.Contains(plural, "/") {
			return placed(document, prefix, plural, resource["namespaced"] == true), nil
		}
	}
	return nil, fmt.Errorf("no matches for kind %q in version %q", kind, version)
}

func placed(
	document map[string]any, prefix, plural string, namespaced bool,
) *place {
	metadata, _ := document["metadata"].(map[string]any)
	found := &place{title: plural}
	found.name, _ = metadata["name"].(string)
	if group, _, grouped := strings.Cut(strings.TrimPrefix(prefix, "/apis/"), "/"); grouped &&
		strings.HasPrefix(prefix, "/apis/") {
		found.title = plural + "." + group
	}
	if namespaced {
		found.namespace, _ = metadata["namespace"].(string)
		if found.namespace == "" {
			found.namespace = "default"
		}
		prefix += "/namespaces/" + found.namespace
	}
	found.path = prefix + "/" + plural + "/" + found.name
	return found
}

func (s *server) create(
	ctx context.Context, k *kind, planned, config cty.Value,
) (cty.Value, error) {
	planned = named(planned, s.provider.known(planned)["metadata_name"])
	document := s.document(k, planned, config)
	at, err := s.place(ctx, document)
	if err != nil {
		return planned, err
	}
	var live map[string]any
	err = s.cloud.do(ctx, &call{"create", k.name, at.id()}, func(*contents) error {
		if _, err := s.cluster.get(ctx, at.path); err == nil {
			return fmt.Errorf("%s %q already exists", at.title, at.name)
		} else if !gone(err) {
			return err
		}
		live, err = s.cluster.apply(ctx, at.path, document)
		return err
	})
	if err != nil {
		return planned, err
	}
	return s.state(k, planned, live, at), s.rolledOut(ctx, planned, at)
}

// named gives an object the name that was made for it.
func named(planned cty.Value, name string) cty.Value {
	metadata := item(part(planned, "metadata"), 0)
	if missing(metadata) || metadata.GetAttr("name").IsKnown() {
		return planned
	}
	inner := metadata.AsValueMap()
	inner["name"] = cty.StringVal(name)
	values := planned.AsValueMap()
	values["metadata"] = cty.ListVal([]cty.Value{cty.ObjectVal(inner)})
	return cty.ObjectVal(values)
}

func (s *server) state(
	k *kind, state cty.Value, live map[string]any, at *place,
) cty.Value {
	if k.name == "kubernetes_manifest" {
		return manifestState(state, live)
	}
	if k.name == "kubernetes_secret_v1" {
		decodeSecret(live)
	}
	values := fromKubernetes(&k.schema.Block, state, live).AsValueMap()
	values["id"] = cty.StringVal(at.id())
	return complete(&k.schema.Block, cty.ObjectVal(values))
}

func manifestState(state cty.Value, live map[string]any) cty.Value {
	values := state.AsValueMap()
	written, _ := toJSON(values["manifest"])
	if seen := merged(written, live); !alike(written, seen) {
		values["manifest"] = implied(seen)
	}
	if metadata, found := live["metadata"].(map[string]any); found {
		delete(metadata, "managedFields")
	}
	values["object"] = implied(live)
	return cty.ObjectVal(values)
}

func decodeSecret(live map[string]any) {
	data, _ := live["data"].(map[string]any)
	for name, value := range data {
		data[name] = decoded(fmt.Sprint(value))
	}
}

func (s *server) read(
	ctx context.Context, k *kind, prior cty.Value,
) (cty.Value, error) {
	at, err := s.place(ctx, s.document(k, prior, prior))
	if gone(err) {
		return cty.NullVal(k.shape()), nil
	} else if err != nil {
		return prior, err
	}
	var live map[string]any
	err = s.cloud.do(ctx, &call{"read", k.name, at.id()}, func(*contents) error {
		live, err = s.cluster.get(ctx, at.path)
		return err
	})
	if gone(err) {
		return cty.NullVal(k.shape()), nil
	} else if err != nil {
		return prior, err
	}
	return s.state(k, prior, live, at), nil
}

func (s *server) update(
	ctx context.Context, k *kind, _, planned, config cty.Value,
) (cty.Value, error) {
	document := s.document(k, planned, config)
	at, err := s.place(ctx, document)
	if err != nil {
		return planned, err
	}
	var live map[string]any
	err = s.cloud.do(ctx, &call{"update", k.name, at.id()}, func(*contents) error {
		live, err = s.cluster.apply(ctx, at.path, document)
		return err
	})
	if err != nil {
		return planned, err
	}
	return s.state(k, planned, live, at), s.rolledOut(ctx, planned, at)
}

func (s *server) remove(ctx context.Context, k *kind, prior cty.Value) error {
	at, err := s.place(ctx, s.document(k, prior, prior))
	if gone(err) {
		return nil
	} else if err != nil {
		return err
	}
	err = s.cloud.do(ctx, &call{"delete", k.name, at.id()}, func(*contents) error {
		return s.cluster.remove(ctx, at.path)
	})
	if err != nil {
		return err
	}
	return until(ctx, func() (bool, error) {
		_, err := s.cluster.get(ctx, at.path)
		if gone(err) {
			return true, nil
		}
		return false, err
	})
}

// rolledOut waits as the provider does where `wait_for_rollout` is not false.
func (s *server) rolledOut(ctx context.Context, planned cty.Value, at *place) error {
	waits := part(planned, "wait_for_rollout")
	if waits == cty.NilVal || is(waits, "false") {
		return nil
	}
	return until(ctx, func() (bool, error) {
		live, err := s.cluster.get(ctx, at.path)
		if err != nil {
			return false, err
		}
		return isRolledOut(live), nil
	})
}

func isRolledOut(live map[string]any) bool {
	metadata, _ := live["metadata"].(map[string]any)
	spec, _ := live["spec"].(map[string]any)
	status, _ := live["status"].(map[string]any)
	if fmt.Sprint(status["observedGeneration"]) != fmt.Sprint(metadata["generation"]) {
		return false
	}
	if wanted, found := status["desiredNumberScheduled"]; found {
		return alike(wanted, number(status["numberAvailable"]))
	}
	wanted := number(spec["replicas"])
	updated, available := number(status["updatedReplicas"]), number(status["availableReplicas"])
	return wanted == updated && wanted == available
}

func number(value any) string {
	if value == nil {
		return "0"
	}
	return fmt.Sprint(value)
}

const patience = 10 * time.Minute

func until(ctx context.Context, done func() (bool, error)) error {
	deadline := time.Now().Add(patience)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if ready, err := done(); ready || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("timeout while waiting for state to become 'done'")
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errStopped
		}
	}
}
