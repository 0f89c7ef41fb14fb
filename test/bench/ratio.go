package main

import (
	"context"
	"fmt"
	"math"

	"zkd/test/bench/chart"
)

// ratios are the shares of reads, in per cent, of the curve of throughput over them.
var ratios = []int{0, 10, 50, 90, 100}

const ratioRounds = 3

func ratioRoundsOf(o *options) int { return min(o.Rounds, ratioRounds) }

// readRatios runs getData and setData in each of the shares, and keeps the whole distribution of latencies.
func readRatios(ctx context.Context, b *bench, es []*ensemble, round int) error {
	for _, percent := range ratios {
		sc := scenario{workload: mixed(percent), sessions: b.o.Sessions, depth: b.o.Depth}
		w := b.o.params(sc, 0)
		for _, e := range es {
			if e.kind.stateless {
				continue
			}
			if err := prepare(e.servers[0].addr, sc.workload, w); err != nil {
				return fmt.Errorf("%s: prepare: %w", e.kind.name, err)
			}
			one, err := closedLoop(ctx, e, b.o, ratioName(percent), sc.workload.sources(w))
			if err != nil {
				return fmt.Errorf("%s: %w%s", e.kind.name, err, e.lastWords())
			}
			b.add(one, round)
		}
	}
	return nil
}

func ratioName(percent int) string { return fmt.Sprintf("%d %% getData, the rest setData", percent) }

// seriesLatency is latencies over how rare they are.
const seriesLatency = "latency"

// nines is where a quantile lies on an axis on which 90 %, 99 % and 99.9 % are equally far apart.
func nines(q float64) float64 { return -math.Log10(1 - q) }

// curve is microseconds over nines.
func (h *hist) curve() []chart.Point {
	var all []chart.Point
	const steps, last = 20, 4 // to 99.99 %
	for i := 1; i <= steps*last; i++ {
		x := float64(i) / steps
		all = append(all, chart.Point{X: x, Y: micros(h.quantile(1 - math.Pow(10, -x)))})
	}
	return all
}
