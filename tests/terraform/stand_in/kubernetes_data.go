package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// find imports an object by `NAMESPACE/NAME`, or `NAME` where it has no namespace.
func (s *server) find(ctx context.Context, k *kind, id string) (cty.Value, error) {
	namespace, name, namespaced := strings.Cut(id, "/")
	if !namespaced {
		namespace, name = "", id
	}
	metadata := map[string]any{"name": name, "namespace": namespace}
	return s.seen(ctx, k, map[string]any{
		"apiVersion": k.behaviour.APIVersion,
		"kind":       k.behaviour.Kind,
		"metadata":   metadata,
	})
}

func (s *server) seen(
	ctx context.Context, k *kind, document map[string]any,
) (cty.Value, error) {
	nothing := cty.NullVal(k.shape())
	at, err := s.place(ctx, document)
	if err != nil {
		return nothing, err
	}
	var live map[string]any
	err = s.cloud.do(ctx, &call{"read", k.name, at.id()}, func(*contents) error {
		live, err = s.cluster.get(ctx, at.path)
		return err
	})
	if err != nil {
		return nothing, err
	}
	values := wholeBlock(&k.schema.Block, live).AsValueMap()
	if metadata, found := live["metadata"].(map[string]any); found {
		inner := wholeBlock(&k.schema.Block.Blocks["metadata"].Block, metadata)
		values["metadata"] = cty.ListVal([]cty.Value{inner})
	}
	values["id"] = cty.StringVal(at.id())
	return cty.ObjectVal(values), nil
}

func (s *server) data(
	ctx context.Context, k *kind, config cty.Value,
) (cty.Value, error) {
	switch k.name {
	case "kubernetes_server_version":
		return s.version(ctx, config)
	case "kubernetes_resource":
		return s.anyObject(ctx, k, config)
	case "kubernetes_namespace_v1", "kubernetes_service_v1":
		named := facts(config)
		return s.seen(ctx, k, map[string]any{
			"apiVersion": k.behaviour.APIVersion,
			"kind":       k.behaviour.Kind,
			"metadata": map[string]any{
				"name":      named["metadata_name"],
				"namespace": named["metadata_namespace"],
			},
		})
	}
	return config, fmt.Errorf("the stand-in does not read %s", k.name)
}

func (s *server) version(ctx context.Context, config cty.Value) (cty.Value, error) {
	live, err := s.cluster.get(ctx, "/version")
	if err != nil {
		return config, err
	}
	values := config.AsValueMap()
	for name, value := range values {
		if given, found := live[kubernetesName(name, false)].(string); found {
			values[name] = fromJSON(given, value.Type())
		}
	}
	version, _ := live["gitVersion"].(string)
	values["version"] = cty.StringVal(strings.TrimPrefix(version, "v"))
	values["id"] = cty.StringVal(version)
	return cty.ObjectVal(values), nil
}

func (s *server) anyObject(
	ctx context.Context, k *kind, config cty.Value,
) (cty.Value, error) {
	given := facts(config)
	document := map[string]any{
		"apiVersion": given["api_version"],
		"kind":       given["kind"],
		"metadata": map[string]any{
			"name":      given["metadata_name"],
			"namespace": given["metadata_namespace"],
		},
	}
	at, err := s.place(ctx, document)
	if err != nil {
		return config, err
	}
	values := config.AsValueMap()
	err = s.cloud.do(ctx, &call{"read", k.name, at.id()}, func(*contents) error {
		live, err := s.cluster.get(ctx, at.path)
		values["object"] = implied(live)
		return err
	})
	return cty.ObjectVal(values), err
}
