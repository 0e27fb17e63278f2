package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

func cloudOfEnvironment() *cloud { return &cloud{folder: os.Getenv(cloudVariable)} }

// A registry keeps objects in the cloud's folder.
type registry struct {
	cloud    *cloud
	provider *provider
}

func (r *registry) create(
	ctx context.Context, k *kind, planned, _ cty.Value,
) (cty.Value, error) {
	known := r.provider.known(planned)
	id := expand(k.behaviour.ID, known)
	if err := r.provider.reachable(ctx); err != nil {
		return planned, err
	}
	made := finish(k.schema, r.given(k), planned, id, known)
	err := r.cloud.do(ctx, &call{"create", k.name, id}, func(there *contents) error {
		if err := r.mayCreate(there, k, id, known); err != nil {
			return err
		}
		return store(there, k, id, made)
	})
	return r.interrupted(k, made, err)
}

// interrupted is what the real provider does when Terraform is told to stop while
// a cluster or a pool is being made: it keeps the operation, to go on from there.
func (r *registry) interrupted(
	k *kind, made cty.Value, err error,
) (cty.Value, error) {
	_, resumes := k.schema.Block.Attributes["operation"]
	if !errors.Is(err, errStopped) || !resumes {
		return made, err
	}
	values := made.AsValueMap()
	values["operation"] = cty.StringVal("operation-" + digits(text(values["id"]), 13))
	return cty.ObjectVal(values), nil
}

// id returns the name of an object here, which is not always its id for Terraform.
func (r *registry) id(k *kind, prior cty.Value) string {
	return expand(k.behaviour.ID, r.provider.known(prior))
}

func store(there *contents, k *kind, id string, made cty.Value) error {
	written, err := toJSON(made)
	if err != nil {
		return err
	}
	values, _ := written.(map[string]any)
	there.Objects[key(k.name, id)] = &object{Type: k.name, ID: id, Values: values}
	return nil
}

func (r *registry) read(
	ctx context.Context, k *kind, prior cty.Value,
) (cty.Value, error) {
	found := cty.NullVal(k.shape())
	id := r.id(k, prior)
	if err := r.provider.reachable(ctx); err != nil {
		return found, err
	}
	err := r.cloud.do(ctx, &call{"read", k.name, id}, func(there *contents) error {
		if object := there.Objects[key(k.name, id)]; object != nil {
			found = complete(&k.schema.Block, fromJSON(object.Values, k.shape()))
			found = remembered(k, found, prior)
		}
		return nil
	})
	return found, err
}

func (r *registry) update(
	ctx context.Context, k *kind, prior, planned, _ cty.Value,
) (cty.Value, error) {
	id := r.id(k, prior)
	known := r.provider.known(planned)
	if err := r.provider.reachable(ctx); err != nil {
		return planned, err
	}
	made := finish(k.schema, r.given(k), planned, id, known)
	err := r.cloud.do(ctx, &call{"update", k.name, id}, func(there *contents) error {
		if there.Objects[key(k.name, id)] == nil {
			return notFound(id)
		}
		return store(there, k, id, made)
	})
	return made, err
}

func (r *registry) remove(ctx context.Context, k *kind, prior cty.Value) error {
	id := r.id(k, prior)
	if err := r.provider.reachable(ctx); err != nil {
		return err
	}
	return r.cloud.do(ctx, &call{"delete", k.name, id}, func(there *contents) error {
		if err := mayDelete(there, k, id, prior); err != nil {
			return err
		}
		if policy := part(prior, "deletion_policy"); is(policy, "ABANDON") {
			return nil
		}
		delete(there.Objects, key(k.name, id))
		for name, object := range there.Objects {
			if object.Type == k.behaviour.Owns && strings.HasPrefix(object.ID, id+"/") {
				delete(there.Objects, name)
			}
		}
		return nil
	})
}

func (r *registry) find(_ context.Context, k *kind, id string) (cty.Value, error) {
	there, err := r.cloud.read()
	if err != nil {
		return cty.NullVal(k.shape()), err
	}
	wanted := strings.ReplaceAll(id, " ", "/")
	for _, name := range sorted(there.Objects) {
		object := there.Objects[name]
		if object.Type != k.name {
			continue
		}
		if object.ID == wanted || strings.HasSuffix(object.ID, "/"+wanted) {
			found := fromJSON(object.Values, k.shape())
			return complete(&k.schema.Block, imported(k, found)), nil
		}
	}
	return cty.NullVal(k.shape()), errors.New("Cannot import non-existent remote object")
}

// given returns a behaviour in which a test's own values come first.
func (r *registry) given(k *kind) *behaviour {
	wanted := &faults{}
	if err := readJSON(r.cloud.file("faults.json"), wanted); err != nil {
		return k.behaviour
	}
	changed := *k.behaviour
	changed.Computed = map[string]any{}
	for path, value := range k.behaviour.Computed {
		changed.Computed[path] = value
	}
	for path, value := range wanted.Values[k.name] {
		changed.Computed[path] = value
	}
	return &changed
}

func notFound(id string) error {
	return fmt.Errorf("googleapi: Error 404: Not found: %s., notFound", id)
}

func is(value cty.Value, wanted string) bool {
	return !missing(value) && text(value) == wanted
}
