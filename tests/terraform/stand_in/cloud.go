package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
)

// A cloud is a folder: objects.json is what is there, faults.json what a test
// wants to go wrong, calls.jsonl what was asked. The providers of one Terraform
// run share it, so it is changed under a lock and written in one piece.
type cloud struct {
	folder string
}

type contents struct {
	// Calls counts what was to change something, over all providers.
	Calls int `json:"calls"`
	// Spent counts how often each fault has happened.
	Spent   map[string]int     `json:"spent"`
	Objects map[string]*object `json:"objects"`
}

type object struct {
	Type   string         `json:"type"`
	ID     string         `json:"id"`
	Values map[string]any `json:"values"`
}

func key(kind, id string) string { return kind + "/" + id }

func (c *cloud) file(name string) string { return filepath.Join(c.folder, name) }

func (c *cloud) read() (*contents, error) {
	there := &contents{}
	if err := readJSON(c.file("objects.json"), there); err != nil {
		return nil, err
	}
	if there.Objects == nil {
		there.Objects = map[string]*object{}
	}
	if there.Spent == nil {
		there.Spent = map[string]int{}
	}
	return there, nil
}

// change runs `effect` on what is there, alone; what it did counts also where it
// returns an error.
func (c *cloud) change(effect func(*contents) error) error {
	lock, err := os.OpenFile(c.file("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	there, err := c.read()
	if err != nil {
		return err
	}
	refused := effect(there)
	if err := c.write(there); err != nil {
		return err
	}
	return refused
}

func (c *cloud) write(there *contents) error {
	text, err := json.MarshalIndent(there, "", "  ")
	if err != nil {
		return err
	}
	unfinished := c.file("objects.json.unfinished")
	if err := os.WriteFile(unfinished, text, 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, c.file("objects.json"))
}

func (c *cloud) log(line map[string]any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	mode := os.O_APPEND | os.O_CREATE | os.O_WRONLY
	file, err := os.OpenFile(c.file("calls.jsonl"), mode, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(append(text, '\n'))
	return err
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
