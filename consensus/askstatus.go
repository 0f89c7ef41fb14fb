package consensus

import (
	"context"
	"encoding/json"
	"fmt"

	"zkd/consensus/peer"
)

// AskStatus asks the server with that second port what it sees of the ensemble.
// It is for a process that is no server itself.
func AskStatus(ctx context.Context, addr string, secret []byte) (s Status, err error) {
	answer, _, err := peer.AskOutside(ctx, addr, secret, queryStatus, nil)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(answer, &s); err != nil {
		return s, fmt.Errorf("consensus: status of %s: %w", addr, err)
	}
	return s, nil
}
