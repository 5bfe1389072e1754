package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"outrider/identity"
)

// apiClient calls the gateway's own API, as an admin would.
type apiClient struct {
	base string
	key  identity.Token
	http *http.Client
}

func (a *App) admin() *apiClient {
	return &apiClient{
		base: "http://" + a.HTTPAddr().String() + "/api/v1/", key: a.adminKey,
		http: &http.Client{Timeout: 30 * time.Second},
	}
}

func (c *apiClient) put(ctx context.Context, path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.send(ctx, path, "application/json", raw)
}

func (c *apiClient) putFeature(ctx context.Context, id string, feature []byte) error {
	return c.send(ctx, "geofences/"+id, "application/geo+json", feature)
}

func (c *apiClient) send(ctx context.Context, path, contentType string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	req.Header.Set("Content-Type", contentType)
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("app: put %s: %w", path, err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 == 2 {
		return nil
	}
	said, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
	return fmt.Errorf("app: put %s: %s: %s", path, res.Status, said)
}
