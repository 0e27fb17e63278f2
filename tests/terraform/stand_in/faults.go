package main

import (
	"context"
	"errors"
	"os"
	"path"
	"strings"
	"time"
)

// What a test wrote into faults.json; it is read anew at each call.
type faults struct {
	Refusals []refusal         `json:"refusals"`
	Stalls   []stall           `json:"stalls"`
	Deaths   []death           `json:"deaths"`
	Values   map[string]values `json:"values"`
	APIs     bool              `json:"apis_must_be_enabled"`
}

// Values that objects of a type are made with, by path, instead of invented ones.
type values map[string]any

// What a fault is about; an empty field is anything. The patterns are of
// path.Match; a name is the last part of an id.
type target struct {
	Type      string `json:"type"`
	Name      string `json:"name"`
	Operation string `json:"operation"`
}

type refusal struct {
	target
	Key   string `json:"key"`
	Error string `json:"error"`
	// Times is how often the fault happens; 0 is always.
	Times int `json:"times"`
	// Leaves says what is made all the same: "" nothing, "orphan" an object that
	// Terraform is not told about, "object" one that it is told about.
	Leaves string `json:"leaves"`
}

type stall struct {
	target
	Seconds float64 `json:"seconds"`
}

// A death happens at the call with this number.
type death struct {
	At int `json:"at"`
	// Before says that nothing was done yet.
	Before bool `json:"before"`
}

// A call is what a provider asks of the cloud.
type call struct {
	operation, kind, id string
}

func (c *call) name() string {
	return c.id[strings.LastIndex(c.id, "/")+1:]
}

func (c *call) changes() bool { return c.operation != "read" }

func (t *target) means(c *call) bool {
	name := matches(t.Name, c.name()) || t.Name == c.id
	return name && matches(t.Type, c.kind) && matches(t.Operation, c.operation)
}

func matches(pattern, text string) bool {
	matched, err := path.Match(pattern, text)
	return pattern == "" || (err == nil && matched)
}

// A partly made object is told to Terraform together with the error.
var errPartlyMade = errors.New("partly made")

type partly struct{ text string }

func (p *partly) Error() string        { return p.text }
func (p *partly) Is(target error) bool { return target == errPartlyMade }

// do runs one call on the cloud, with the faults that a test wants.
func (c *cloud) do(ctx context.Context, asked *call, effect func(*contents) error) error {
	wanted := &faults{}
	if err := readJSON(c.file("faults.json"), wanted); err != nil {
		return err
	}
	dies := false
	err := c.change(func(there *contents) error {
		if asked.changes() {
			there.Calls++
		}
		dies = asked.changes() && wanted.dies(there.Calls, false)
		return c.answer(there, asked, wanted, effect)
	})
	if dies {
		os.Exit(1)
	}
	if err != nil {
		return err
	}
	return wanted.wait(ctx, asked)
}

func (c *cloud) answer(
	there *contents, asked *call, wanted *faults, effect func(*contents) error,
) error {
	if asked.changes() && wanted.dies(there.Calls, true) {
		if err := errors.Join(c.told(there, asked, "died"), c.write(there)); err != nil {
			return err
		}
		os.Exit(1)
	}
	refused := wanted.refusal(there, asked)
	if refused != nil && refused.Leaves == "" {
		return errors.Join(errors.New(refused.Error), c.told(there, asked, "refused"))
	}
	if err := effect(there); err != nil {
		return errors.Join(err, c.told(there, asked, "refused"))
	}
	if err := c.told(there, asked, "done"); err != nil {
		return err
	}
	switch {
	case refused == nil:
		return nil
	case refused.Leaves == "object":
		return &partly{refused.Error}
	}
	return errors.New(refused.Error)
}

func (c *cloud) told(there *contents, asked *call, outcome string) error {
	return c.log(map[string]any{
		"number":    there.Calls,
		"operation": asked.operation,
		"type":      asked.kind,
		"name":      asked.name(),
		"id":        asked.id,
		"outcome":   outcome,
	})
}

func (f *faults) dies(number int, before bool) bool {
	for _, death := range f.Deaths {
		if death.At == number && death.Before == before {
			return true
		}
	}
	return false
}

func (f *faults) refusal(there *contents, asked *call) *refusal {
	for index := range f.Refusals {
		found := &f.Refusals[index]
		if !found.means(asked) {
			continue
		}
		if found.Times == 0 || there.Spent[found.Key] < found.Times {
			there.Spent[found.Key]++
			return found
		}
	}
	return nil
}

var errStopped = errors.New("context canceled")

func (f *faults) wait(ctx context.Context, asked *call) error {
	for _, found := range f.Stalls {
		if !found.means(asked) {
			continue
		}
		select {
		case <-time.After(time.Duration(found.Seconds * float64(time.Second))):
		case <-ctx.Done():
			return errStopped
		}
	}
	return nil
}
