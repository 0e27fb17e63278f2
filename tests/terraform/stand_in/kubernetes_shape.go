package main

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// How the provider's words become those of Kubernetes: most are the same in camel
// case; where a list of blocks has a singular name, Kubernetes has the plural.
var kubernetesNames = map[string]string{
	"ceph_fs":                    "cephfs",
	"client_ip":                  "clientIP",
	"cluster_ip":                 "clusterIP",
	"cluster_ips":                "clusterIPs",
	"data_disk_uri":              "diskURI",
	"external_ips":               "externalIPs",
	"host_ip":                    "hostIP",
	"host_ipc":                   "hostIPC",
	"host_pid":                   "hostPID",
	"load_balancer_ip":           "loadBalancerIP",
	"non_resource_urls":          "nonResourceURLs",
	"run_as_username":            "runAsUserName",
	"storage_provisioner":        "provisioner",
	"volume_id":                  "volumeID",
	"container":                  "containers",
	"http_header":                "httpHeaders",
	"image_pull_secret":          "imagePullSecrets",
	"init_container":             "initContainers",
	"limit":                      "limits",
	"match_expression":           "matchExpressions",
	"node_selector_term":         "nodeSelectorTerms",
	"option":                     "options",
	"readiness_gate":             "readinessGates",
	"rule":                       "rules",
	"subject":                    "subjects",
	"sysctl":                     "sysctls",
	"toleration":                 "tolerations",
	"topology_spread_constraint": "topologySpreadConstraints",
	"volume":                     "volumes",
	"volume_device":              "volumeDevices",
	"volume_mount":               "volumeMounts",
}

var (
	// Whole numbers that the provider has as texts.
	numberTexts = []string{
		"replicas", "run_as_user", "run_as_group", "fs_group", "toleration_seconds",
	}
	octalTexts = []string{"default_mode", "mode"}
	// A number or a name, or a number or a share.
	numberOrText = []string{
		"port", "target_port", "max_surge", "max_unavailable", "min_available",
	}
	// Lists of blocks that Kubernetes has one of, though the schema has no limit.
	single = []string{"projected", "label_selector"}
	// What Terraform alone knows of.
	ownAttributes = []string{
		"id", "timeouts", "default_secret_name", "generate_name", "wait_until_bound",
		"binary_data_wo", "data_wo", "binary_data_wo_revision", "data_wo_revision",
	}
)

func kubernetesName(name string, list bool) string {
	if list && (name == "port" || name == "secret") {
		return name + "s"
	}
	if known, found := kubernetesNames[name]; found {
		return known
	}
	words := strings.Split(name, "_")
	for index, word := range words[1:] {
		words[index+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

func isOwn(name string, a *attribute) bool {
	if a != nil && a.Computed && !a.Optional {
		return true
	}
	return slices.Contains(ownAttributes, name) || strings.HasPrefix(name, "wait_for_")
}

func isSingle(name string, nested *nestedBlock) bool {
	limited := nested.Mode == "single" || nested.MaxItems == 1
	return limited || slices.Contains(single, name)
}

// toKubernetes returns a block as the API server wants it.
func toKubernetes(b *block, value cty.Value) map[string]any {
	written := map[string]any{}
	if missing(value) {
		return written
	}
	for name, a := range b.Attributes {
		inner := value.GetAttr(name)
		if !isOwn(name, a) && !missing(inner) && inner.IsWhollyKnown() {
			written[kubernetesName(name, false)] = plain(name, inner)
		}
	}
	for name, nested := range b.Blocks {
		inner := value.GetAttr(name)
		if isOwn(name, nil) || missing(inner) {
			continue
		}
		if blocks := nestedToKubernetes(name, nested, inner); blocks != nil {
			written[kubernetesName(name, !isSingle(name, nested))] = blocks
		}
	}
	return written
}

func nestedToKubernetes(name string, nested *nestedBlock, value cty.Value) any {
	if nested.Mode == "single" {
		return toKubernetes(&nested.Block, value)
	}
	var blocks []any
	for _, element := range value.AsValueSlice() {
		blocks = append(blocks, toKubernetes(&nested.Block, element))
	}
	switch {
	case len(blocks) == 0:
		return nil
	case isSingle(name, nested):
		return blocks[0]
	}
	return blocks
}

func plain(name string, value cty.Value) any {
	written, err := toJSON(value)
	if err != nil {
		return nil
	}
	if words, isText := written.(string); isText {
		return numberOf(name, words)
	}
	return written
}

func numberOf(name, words string) any {
	base := 10
	switch {
	case slices.Contains(octalTexts, name):
		base = 8
	case !slices.Contains(numberTexts, name) && !slices.Contains(numberOrText, name):
		return words
	}
	number, err := strconv.ParseInt(words, base, 64)
	if err != nil {
		return words
	}
	return json.Number(strconv.FormatInt(number, 10))
}

// encodeSecret writes the data of a Secret as Kubernetes keeps it.
func encodeSecret(written map[string]any, config cty.Value) {
	encoded := map[string]any{}
	for _, source := range []cty.Value{part(config, "data"), part(config, "data_wo")} {
		if missing(source) {
			continue
		}
		for name, value := range source.AsValueMap() {
			encoded[name] = base64.StdEncoding.EncodeToString([]byte(text(value)))
		}
	}
	if binary, found := written["binaryData"].(map[string]any); found {
		for name, value := range binary {
			encoded[name] = value
		}
		delete(written, "binaryData")
	}
	if len(encoded) > 0 {
		written["data"] = encoded
	}
}
