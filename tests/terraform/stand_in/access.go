package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"gopkg.in/yaml.v3"
)

// access is how a provider was told to reach a cluster: by its own settings, else by
// the environment, else by a kubeconfig, as the providers' documentation says.
type access struct {
	host, ca, token, certificate, key, serverName string
	insecure                                      bool
}

var accessVariables = map[string]string{
	"host":                   "KUBE_HOST",
	"token":                  "KUBE_TOKEN",
	"cluster_ca_certificate": "KUBE_CLUSTER_CA_CERT_DATA",
	"client_certificate":     "KUBE_CLIENT_CERT_DATA",
	"client_key":             "KUBE_CLIENT_KEY_DATA",
	"insecure":               "KUBE_INSECURE",
	"tls_server_name":        "KUBE_TLS_SERVER_NAME",
	"config_path":            "KUBE_CONFIG_PATH",
	"config_context":         "KUBE_CTX",
}

func (p *provider) access() (*access, error) {
	given := p.config
	if p.name == "helm" {
		given = map[string]cty.Value{}
		if inner := p.config["kubernetes"]; !missing(inner) {
			given = inner.AsValueMap()
		}
	}
	settings := map[string]string{}
	for name, variable := range accessVariables {
		settings[name] = os.Getenv(variable)
		if value, found := given[name]; found && !missing(value) {
			settings[name] = text(value)
		}
	}
	found := &access{}
	if settings["config_path"] != "" {
		err := found.fromFile(settings["config_path"], settings["config_context"])
		if err != nil {
			return nil, err
		}
	}
	found.take(settings)
	return found, found.execute(given["exec"])
}

func (a *access) take(settings map[string]string) {
	for name, field := range map[string]*string{
		"host":                   &a.host,
		"token":                  &a.token,
		"cluster_ca_certificate": &a.ca,
		"client_certificate":     &a.certificate,
		"client_key":             &a.key,
		"tls_server_name":        &a.serverName,
	} {
		if settings[name] != "" {
			*field = settings[name]
		}
	}
	a.insecure = a.insecure || settings["insecure"] == "true"
}

type kubeconfig struct {
	Current  string `yaml:"current-context"`
	Clusters []struct {
		Name    string
		Cluster struct {
			Server   string
			CA       string `yaml:"certificate-authority-data"`
			CAFile   string `yaml:"certificate-authority"`
			Insecure bool   `yaml:"insecure-skip-tls-verify"`
		}
	}
	Users []struct {
		Name string
		User struct {
			Token       string
			Certificate string `yaml:"client-certificate-data"`
			Key         string `yaml:"client-key-data"`
		}
	}
	Contexts []struct {
		Name    string
		Context struct{ Cluster, User string }
	}
}

func (a *access) fromFile(file, context string) error {
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(file, "~/") {
		file = filepath.Join(home, file[2:])
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	read := &kubeconfig{}
	if err := yaml.Unmarshal(text, read); err != nil {
		return err
	}
	if context == "" {
		context = read.Current
	}
	for _, known := range read.Contexts {
		if known.Name == context {
			return a.fromContext(read, known.Context.Cluster, known.Context.User)
		}
	}
	return fmt.Errorf("context %q does not exist in %s", context, file)
}

func (a *access) fromContext(read *kubeconfig, cluster, user string) error {
	for _, known := range read.Clusters {
		if known.Name != cluster {
			continue
		}
		a.host, a.insecure = known.Cluster.Server, known.Cluster.Insecure
		a.ca = decoded(known.Cluster.CA)
		if known.Cluster.CAFile != "" {
			text, err := os.ReadFile(known.Cluster.CAFile)
			if err != nil {
				return err
			}
			a.ca = string(text)
		}
	}
	for _, known := range read.Users {
		if known.Name == user {
			a.token = known.User.Token
			a.certificate = decoded(known.User.Certificate)
			a.key = decoded(known.User.Key)
		}
	}
	return nil
}

func decoded(text string) string {
	read, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(read)
}

// execute gets a token from a credential plugin, as gke-gcloud-auth-plugin is one.
func (a *access) execute(given cty.Value) error {
	if !missing(given) && given.Type().IsListType() {
		given = item(given, 0)
	}
	if missing(given) {
		return nil
	}
	var arguments []string
	if list := part(given, "args"); !missing(list) {
		for _, argument := range list.AsValueSlice() {
			arguments = append(arguments, text(argument))
		}
	}
	command := exec.Command(text(given.GetAttr("command")), arguments...)
	command.Env = os.Environ()
	if extra := part(given, "env"); !missing(extra) {
		for name, value := range extra.AsValueMap() {
			command.Env = append(command.Env, name+"="+text(value))
		}
	}
	printed, err := command.Output()
	if err != nil {
		return fmt.Errorf("getting credentials: exec: %w", err)
	}
	answer := struct{ Status struct{ Token string } }{}
	err = json.Unmarshal(printed, &answer)
	a.token = answer.Status.Token
	return err
}
