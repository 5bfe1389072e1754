package lexruntime

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"outrider/identity"
)

// Credentials returns a key as it is set, or, without one, what the SDK finds in its usual order: environment, shared
// files, web identity, container, instance.
func Credentials(ctx context.Context, region, keyID string, secret identity.Token) (aws.CredentialsProvider, error) {
	if keyID != "" {
		return credentials.NewStaticCredentialsProvider(keyID, secret.Reveal(), ""), nil
	}
	c, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return nil, fmt.Errorf("lexruntime: credentials: %w", err)
	}
	return c.Credentials, nil
}
