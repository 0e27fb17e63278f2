package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A cluster is an API server, and how to talk to it.
type cluster struct {
	url    string
	token  string
	client *http.Client
}

// connect lets a kubernetes or helm provider that was told of a cluster talk to it.
func (p *provider) connect() error {
	if p.name == "google" {
		return nil
	}
	found, err := p.access()
	if err != nil || found.host == "" {
		return err
	}
	p.cluster, err = found.connect()
	if err == nil && p.name == "kubernetes" {
		p.backend = &server{cluster: p.cluster, cloud: p.cloud, provider: p}
	}
	return err
}

// reachable asks a helm provider's cluster whether it is there.
func (p *provider) reachable(ctx context.Context) error {
	if p.cluster == nil {
		return nil
	}
	if _, err := p.cluster.get(ctx, "/version"); err != nil {
		return fmt.Errorf("Kubernetes cluster unreachable: %w", err)
	}
	return nil
}

func (a *access) connect() (*cluster, error) {
	settings := &tls.Config{
		InsecureSkipVerify: a.insecure, //nolint:gosec // a test's own wish
		ServerName:         a.serverName,
	}
	if a.ca != "" {
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM([]byte(a.ca)) {
			return nil, errors.New("unable to load root certificates: no certificate")
		}
	}
	if a.certificate != "" {
		pair, err := tls.X509KeyPair([]byte(a.certificate), []byte(a.key))
		if err != nil {
			return nil, err
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	url := strings.TrimSuffix(a.host, "/")
	if !strings.Contains(url, "://") {
		url = "https://" + url
	}
	transport := &http.Transport{TLSClientConfig: settings}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return &cluster{url, a.token, client}, nil
}

// A rejection is an API server's own answer.
type rejection struct {
	code int
	text string
}

func (r *rejection) Error() string { return r.text }

func gone(err error) bool {
	var answered *rejection
	return errors.As(err, &answered) && answered.code == http.StatusNotFound
}

func (c *cluster) get(ctx context.Context, path string) (map[string]any, error) {
	return c.ask(ctx, http.MethodGet, path, "", nil)
}

func (c *cluster) apply(
	ctx context.Context, path string, wanted map[string]any,
) (map[string]any, error) {
	text, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	query := "?fieldManager=Terraform&force=true"
	return c.ask(ctx, http.MethodPatch, path+query, "application/apply-patch+yaml", text)
}

func (c *cluster) remove(ctx context.Context, path string) error {
	body := []byte(`{"propagationPolicy":"Background"}`)
	_, err := c.ask(ctx, http.MethodDelete, path, "application/json", body)
	if gone(err) {
		return nil
	}
	return err
}

func (c *cluster) ask(
	ctx context.Context, method, path, content string, body []byte,
) (map[string]any, error) {
	asked, err := http.NewRequestWithContext(
		ctx, method, c.url+path, bytes.NewReader(body),
	)
	if err != nil {
		return nil, err
	}
	asked.Header.Set("Accept", "application/json")
	if content != "" {
		asked.Header.Set("Content-Type", content)
	}
	if c.token != "" {
		asked.Header.Set("Authorization", "Bearer "+c.token)
	}
	answered, err := c.client.Do(asked)
	if err != nil {
		return nil, err
	}
	defer answered.Body.Close()
	return understood(answered)
}

func understood(answered *http.Response) (map[string]any, error) {
	text, err := io.ReadAll(answered.Body)
	if err != nil {
		return nil, err
	}
	read, err := parse(text)
	document, isObject := read.(map[string]any)
	if answered.StatusCode < http.StatusBadRequest {
		return document, err
	}
	message := strings.TrimSpace(string(text))
	if told, found := document["message"].(string); isObject && found {
		message = told
	}
	return nil, &rejection{answered.StatusCode, message}
}
