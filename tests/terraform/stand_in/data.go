package main

import (
	"context"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// data answers a data source: from the object of the same type that its arguments
// name, else from the values that its behaviour has.
func (r *registry) data(
	ctx context.Context, k *kind, config cty.Value,
) (cty.Value, error) {
	known := r.provider.known(config)
	for name, a := range k.schema.Block.Attributes {
		if a.Computed && a.Optional && part(config, name).IsNull() && known[name] == "" {
			known[name] = ""
		}
	}
	id := expand(k.behaviour.ID, known)
	answer := cty.NullVal(k.shape())
	err := r.cloud.do(ctx, &call{"read", k.name, id}, func(there *contents) error {
		_, stored := r.provider.schema.Resources[k.name]
		if !stored {
			answer = r.invented(k, config, id, known)
			return nil
		}
		for _, object := range there.Objects {
			if object.Type == k.name && object.isCalled(id, known["project"]) {
				answer = r.seen(k, config, object)
				return nil
			}
		}
		return notFound(strings.TrimPrefix(id, "/"))
	})
	return answer, err
}

func (r *registry) seen(k *kind, config cty.Value, object *object) cty.Value {
	found := fromJSON(object.Values, k.shape()).AsValueMap()
	for name, given := range config.AsValueMap() {
		if !missing(given) && !given.Type().IsCollectionType() {
			found[name] = given
		}
	}
	return complete(&k.schema.Block, cty.ObjectVal(found))
}

// invented fills every computed attribute that the configuration does not give.
func (r *registry) invented(
	k *kind, config cty.Value, id string, known map[string]string,
) cty.Value {
	values := config.AsValueMap()
	for name, a := range k.schema.Block.Attributes {
		if a.Computed && values[name].IsNull() {
			values[name] = cty.UnknownVal(a.Type())
		}
	}
	return finish(k.schema, r.given(k), cty.ObjectVal(values), id, known)
}
