package main

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"
)

// A kind is one resource type, or one data source.
type kind struct {
	name      string
	schema    *schema
	behaviour *behaviour
}

// A backend is where the objects of a provider are.
type backend interface {
	create(ctx context.Context, k *kind, planned, config cty.Value) (cty.Value, error)
	// read returns a null where the object is gone.
	read(ctx context.Context, k *kind, prior cty.Value) (cty.Value, error)
	update(ctx context.Context, k *kind, prior, planned, config cty.Value) (cty.Value, error)
	remove(ctx context.Context, k *kind, prior cty.Value) error
	find(ctx context.Context, k *kind, id string) (cty.Value, error)
	data(ctx context.Context, k *kind, config cty.Value) (cty.Value, error)
}

// The methods that Terraform does not need of these providers are not written:
// the embedded interface has none.
type provider struct {
	tfprotov6.ProviderServer
	name       string
	schema     *providerSchema
	behaviours behaviours
	config     map[string]cty.Value
	cluster    *cluster
	cloud      *cloud
	backend    backend
	running    context.Context
	stop       context.CancelFunc
}

func newProvider(name string) (*provider, error) {
	read, err := readSchema(name)
	if err != nil {
		return nil, err
	}
	known, err := readBehaviours(name)
	if err != nil {
		return nil, err
	}
	stand := &provider{name: name, schema: read, behaviours: known}
	stand.cloud = cloudOfEnvironment()
	stand.backend = &registry{cloud: stand.cloud, provider: stand}
	stand.running, stand.stop = context.WithCancel(context.Background())
	return stand, nil
}

func (p *provider) resource(name string) *kind {
	return &kind{name, p.schema.Resources[name], p.behaviours.of(name)}
}

func (p *provider) dataSource(name string) *kind {
	return &kind{name, p.schema.DataSources[name], p.behaviours.of(name)}
}

func (k *kind) shape() cty.Type { return k.schema.Block.Type() }

func (p *provider) GetProviderSchema(
	context.Context, *tfprotov6.GetProviderSchemaRequest,
) (*tfprotov6.GetProviderSchemaResponse, error) {
	answer := &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities: &tfprotov6.ServerCapabilities{GetProviderSchemaOptional: true},
		Provider:           p.schema.Provider.protocol(),
		ResourceSchemas:    map[string]*tfprotov6.Schema{},
		DataSourceSchemas:  map[string]*tfprotov6.Schema{},
	}
	for name, known := range p.schema.Resources {
		answer.ResourceSchemas[name] = known.protocol()
	}
	for name, known := range p.schema.DataSources {
		answer.DataSourceSchemas[name] = known.protocol()
	}
	return answer, nil
}

func (p *provider) GetResourceIdentitySchemas(
	context.Context, *tfprotov6.GetResourceIdentitySchemasRequest,
) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (p *provider) ValidateProviderConfig(
	_ context.Context, asked *tfprotov6.ValidateProviderConfigRequest,
) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: asked.Config}, nil
}

func (p *provider) ConfigureProvider(
	_ context.Context, asked *tfprotov6.ConfigureProviderRequest,
) (*tfprotov6.ConfigureProviderResponse, error) {
	given, err := decode(asked.Config, p.schema.Provider.Block.Type())
	if err == nil {
		p.config = given.AsValueMap()
		err = p.connect()
	}
	return &tfprotov6.ConfigureProviderResponse{Diagnostics: problems(err)}, nil
}

func (p *provider) StopProvider(
	context.Context, *tfprotov6.StopProviderRequest,
) (*tfprotov6.StopProviderResponse, error) {
	p.stop()
	return &tfprotov6.StopProviderResponse{}, nil
}

func (p *provider) ValidateDataResourceConfig(
	context.Context, *tfprotov6.ValidateDataResourceConfigRequest,
) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (p *provider) ReadDataSource(
	_ context.Context, asked *tfprotov6.ReadDataSourceRequest,
) (*tfprotov6.ReadDataSourceResponse, error) {
	answer := &tfprotov6.ReadDataSourceResponse{}
	k := p.dataSource(asked.TypeName)
	config, err := decode(asked.Config, k.shape())
	if err == nil {
		var found cty.Value
		if found, err = p.backend.data(p.running, k, config); err == nil {
			answer.State, err = encode(found, k.shape())
		}
	}
	answer.Diagnostics = problems(err)
	return answer, nil
}

func problems(err error) []*tfprotov6.Diagnostic {
	if err == nil {
		return nil
	}
	found := &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityError}
	var at *misplaced
	if errors.As(err, &at) {
		found.Attribute = at.path
	}
	found.Summary = err.Error()
	return []*tfprotov6.Diagnostic{found}
}
