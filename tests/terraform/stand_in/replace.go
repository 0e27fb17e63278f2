package main

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
)

// replacements returns where `planned` changes what cannot be changed in place.
func replacements(
	b *block, behaviour *behaviour, prior, planned cty.Value,
) []*tftypes.AttributePath {
	finder := &replaceFinder{behaviour: behaviour}
	finder.block(b, prior, planned, tftypes.NewAttributePath(), "")
	return finder.found
}

type replaceFinder struct {
	behaviour *behaviour
	found     []*tftypes.AttributePath
}

func (f *replaceFinder) block(
	b *block, prior, planned cty.Value, path *tftypes.AttributePath, at string,
) {
	if missing(prior) || missing(planned) {
		return
	}
	for name := range b.Attributes {
		f.compare(prior, planned, path, at, name)
	}
	for name, nested := range b.Blocks {
		if f.compare(prior, planned, path, at, name) || nested.Mode != "list" {
			continue
		}
		before, after := part(prior, name), part(planned, name)
		if missing(after) {
			continue
		}
		for index := range after.AsValueSlice() {
			inner := path.WithAttributeName(name).WithElementKeyInt(index)
			f.block(
				&nested.Block, item(before, index), item(after, index), inner,
				join(at, name),
			)
		}
	}
}

// compare says whether the whole of `name` is replaced with its object.
func (f *replaceFinder) compare(
	prior, planned cty.Value, path *tftypes.AttributePath, at, name string,
) bool {
	if !f.behaviour.forcesNew(join(at, name)) {
		return false
	}
	if !part(prior, name).RawEquals(part(planned, name)) {
		f.found = append(f.found, path.WithAttributeName(name))
	}
	return true
}

func (b *behaviour) forcesNew(path string) bool {
	for _, known := range b.ForceNew {
		if path == known {
			return true
		}
	}
	if strings.Contains(path, ".") {
		return false
	}
	return b.identifies(path)
}
