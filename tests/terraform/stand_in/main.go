// A stand-in for the Terraform providers google, kubernetes and helm.
//
// It serves the real schema of the provider that its own file is named for, and
// keeps what it "creates" in a folder, so that Terraform itself can be tested
// where there is no cloud. The folder tests/terraform holds the data that it
// reads: schemas and behaviours.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

const (
	cloudVariable = "RAY_GKE_STAND_IN_CLOUD"
	dataVariable  = "RAY_GKE_STAND_IN_DATA"
)

var programName = regexp.MustCompile(`^terraform-provider-([a-z]+)`)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	match := programName.FindStringSubmatch(filepath.Base(os.Args[0]))
	if match == nil {
		return fmt.Errorf("%s is not named terraform-provider-NAME", os.Args[0])
	}
	stand, err := newProvider(match[1])
	if err != nil {
		return err
	}
	go endWithParent()
	address := "registry.terraform.io/hashicorp/" + match[1]
	server := func() tfprotov6.ProviderServer { return stand }
	return tf6server.Serve(address, server, tf6server.WithoutLogStderrOverride())
}

// A provider outlives a Terraform that was killed; a test must not leave it behind.
func endWithParent() {
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(100 * time.Millisecond)
	}
	os.Exit(1)
}
