package main

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

func (p *provider) ValidateResourceConfig(
	_ context.Context, asked *tfprotov6.ValidateResourceConfigRequest,
) (*tfprotov6.ValidateResourceConfigResponse, error) {
	k := p.resource(asked.TypeName)
	config, err := decode(asked.Config, k.shape())
	answer := &tfprotov6.ValidateResourceConfigResponse{Diagnostics: problems(err)}
	if err == nil {
		answer.Diagnostics = refusedValues(k, config)
	}
	return answer, nil
}

func (p *provider) UpgradeResourceState(
	_ context.Context, asked *tfprotov6.UpgradeResourceStateRequest,
) (*tfprotov6.UpgradeResourceStateResponse, error) {
	k := p.resource(asked.TypeName)
	answer := &tfprotov6.UpgradeResourceStateResponse{}
	read, err := ctyjson.Unmarshal(asked.RawState.JSON, k.shape())
	if err == nil {
		answer.UpgradedState, err = encode(read, k.shape())
	}
	answer.Diagnostics = problems(err)
	return answer, nil
}

func (p *provider) ReadResource(
	_ context.Context, asked *tfprotov6.ReadResourceRequest,
) (*tfprotov6.ReadResourceResponse, error) {
	k := p.resource(asked.TypeName)
	answer := &tfprotov6.ReadResourceResponse{Private: asked.Private}
	prior, err := decode(asked.CurrentState, k.shape())
	if err == nil {
		var found cty.Value
		if found, err = p.backend.read(p.running, k, prior); err == nil {
			answer.NewState, err = encode(found, k.shape())
		}
	}
	answer.Diagnostics = problems(err)
	return answer, nil
}

func (p *provider) PlanResourceChange(
	_ context.Context, asked *tfprotov6.PlanResourceChangeRequest,
) (*tfprotov6.PlanResourceChangeResponse, error) {
	k := p.resource(asked.TypeName)
	answer := &tfprotov6.PlanResourceChangeResponse{
		PlannedState:                asked.ProposedNewState,
		PlannedPrivate:              asked.PriorPrivate,
		UnsafeToUseLegacyTypeSystem: true,
	}
	prior, badPrior := decode(asked.PriorState, k.shape())
	proposed, badProposal := decode(asked.ProposedNewState, k.shape())
	config, badConfig := decode(asked.Config, k.shape())
	err := errors.Join(badPrior, badProposal, badConfig)
	if err == nil && !proposed.IsNull() {
		planned := p.plan(k, prior, proposed, config)
		answer.PlannedState, err = encode(planned, k.shape())
		answer.RequiresReplace = replacements(&k.schema.Block, k.behaviour, prior, planned)
	}
	answer.Diagnostics = problems(err)
	return answer, nil
}

func (p *provider) plan(k *kind, prior, proposed, config cty.Value) cty.Value {
	planner := &planner{behaviour: k.behaviour}
	planned := planner.block(&k.schema.Block, prior, proposed, config, "")
	values := planned.AsValueMap()
	if prior.IsNull() {
		p.place(k, values, config)
	}
	p.label(k, prior, values)
	recompute(k, prior, values)
	return cty.ObjectVal(values)
}

func (p *provider) ApplyResourceChange(
	_ context.Context, asked *tfprotov6.ApplyResourceChangeRequest,
) (*tfprotov6.ApplyResourceChangeResponse, error) {
	k := p.resource(asked.TypeName)
	answer := &tfprotov6.ApplyResourceChangeResponse{
		Private:                     asked.PlannedPrivate,
		UnsafeToUseLegacyTypeSystem: true,
	}
	prior, badPrior := decode(asked.PriorState, k.shape())
	planned, badPlan := decode(asked.PlannedState, k.shape())
	config, badConfig := decode(asked.Config, k.shape())
	err := errors.Join(badPrior, badPlan, badConfig)
	if err == nil {
		var made cty.Value
		made, err = p.apply(k, prior, planned, config)
		state, bad := encode(made, k.shape())
		answer.NewState, err = state, errors.Join(err, bad)
	}
	answer.Diagnostics = problems(err)
	return answer, nil
}

// apply returns what is there afterwards, also where there is an error.
func (p *provider) apply(k *kind, prior, planned, config cty.Value) (cty.Value, error) {
	var made cty.Value
	var err error
	switch {
	case prior.IsNull():
		made, err = p.backend.create(p.running, k, planned, config)
	case planned.IsNull():
		made, err = planned, p.backend.remove(p.running, k, prior)
	default:
		made, err = p.backend.update(p.running, k, prior, planned, config)
	}
	if err != nil && !errors.Is(err, errPartlyMade) {
		return prior, err
	}
	return made, err
}

func (p *provider) ImportResourceState(
	_ context.Context, asked *tfprotov6.ImportResourceStateRequest,
) (*tfprotov6.ImportResourceStateResponse, error) {
	k := p.resource(asked.TypeName)
	answer := &tfprotov6.ImportResourceStateResponse{}
	found, err := p.backend.find(p.running, k, asked.ID)
	if err == nil {
		imported := &tfprotov6.ImportedResource{TypeName: k.name}
		imported.State, err = encode(found, k.shape())
		answer.ImportedResources = []*tfprotov6.ImportedResource{imported}
	}
	answer.Diagnostics = problems(err)
	return answer, nil
}
