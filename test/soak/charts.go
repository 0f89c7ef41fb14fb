package soak

import (
	"fmt"
	"image/color"
	"slices"
	"time"

	"gonum.org/v1/plot/vg"

	"zkd/test/bench/chart"
	"zkd/test/ensemble"
)

const (
	chartWidth  = 1150
	chartHeight = 210 // of a panel
	laneHeight  = 17  // of a kind of fault
	mostPoints  = 900 // of a line: more are narrower than the eye
)

// charts draws all that was seen, each over the time of the run: what clients had, the faults, and what servers took.
func charts(now time.Duration, writes, reads []Second, looks map[int][]Look, faults []Fault) (drawn [][]byte, err error) {
	draw := func(height int, panels ...chart.Panel) {
		panels = slices.DeleteFunc(panels, func(p chart.Panel) bool { return len(p.Lines)+len(p.Bars) == 0 })
		if len(panels) == 0 || err != nil {
			return
		}
		for i := range panels {
			panels[i].X = chart.Axis{Label: "minutes", Min: 0, Max: max(now.Minutes(), 0.1)}
		}
		var svg []byte
		svg, err = chart.Chart{Panels: panels, Width: chartWidth, Height: vg.Length(height * len(panels))}.SVG()
		drawn = append(drawn, svg)
	}
	draw(chartHeight, throughput(writes, reads), latency("writes", writes), latency("reads", reads), servers(looks))
	lanes := kinds(faults)
	draw(laneHeight*len(lanes.Y.Names)+90, lanes)
	draw(chartHeight,
		of(looks, "resident memory", "MiB", func(l Look) float64 { return float64(l.RSS) / (1 << 20) }),
		of(looks, "goroutines", "", func(l Look) float64 { return float64(l.Goroutines) }),
		of(looks, "descriptors", "", func(l Look) float64 { return float64(l.Descriptors) }),
		of(looks, "disk", "MiB", func(l Look) float64 { return float64(l.Disk) / (1 << 20) }),
	)
	return drawn, err
}

func throughput(writes, reads []Second) chart.Panel {
	count := func(s Second) float64 { return float64(s.Count) }
	p := chart.Panel{Title: "answered requests", Y: chart.Axis{Label: "per second"}}
	p.Lines = appendLine(p.Lines, "writes", 0, line(writes, count, mean))
	p.Lines = appendLine(p.Lines, "reads", 1, line(reads, count, mean))
	return p
}

func latency(what string, seconds []Second) chart.Panel {
	p := chart.Panel{Title: "latency of " + what + ", by the second of the answer", Y: chart.Axis{Label: "ms", Log: true}}
	for i, q := range []struct {
		name string
		of   func(Second) time.Duration
	}{
		{"longest", func(s Second) time.Duration { return s.Max }},
		{"p99", func(s Second) time.Duration { return s.P99 }},
		{"p50", func(s Second) time.Duration { return s.P50 }},
	} {
		p.Lines = appendLine(p.Lines, q.name, []int{4, 1, 0}[i], line(seconds, func(s Second) float64 { return q.of(s).Seconds() * 1000 }, slices.Max[[]float64]))
	}
	return p
}

// line makes points of seconds, several of them one where there are too many.
func line(seconds []Second, of func(Second) float64, join func([]float64) float64) (points []chart.Point) {
	if !slices.ContainsFunc(seconds, func(s Second) bool { return s.Count > 0 }) {
		return nil
	}
	step := len(seconds)/mostPoints + 1
	at := 0
	for part := range slices.Chunk(seconds, step) {
		var values []float64
		for _, s := range part {
			values = append(values, of(s))
		}
		points = append(points, chart.Point{X: (float64(at) + float64(len(part))/2) / 60, Y: join(values)})
		at += step
	}
	return points
}

func mean(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func appendLine(lines []chart.Line, name string, colour int, points []chart.Point) []chart.Line {
	if len(points) == 0 {
		return lines
	}
	return append(lines, chart.Line{Name: name, Colour: chart.Palette[colour], Points: points})
}

// of has a line of one figure for each server.
func of(looks map[int][]Look, title, unit string, value func(Look) float64) chart.Panel {
	p := chart.Panel{Title: title, Y: chart.Axis{Label: unit}}
	for _, id := range sortedKeys(looks) {
		var points []chart.Point
		for part := range slices.Chunk(looks[id], len(looks[id])/mostPoints+1) {
			most := 0.0
			for _, l := range part {
				most = max(most, value(l))
			}
			points = append(points, chart.Point{X: part[0].At.Minutes(), Y: most})
		}
		p.Lines = appendLine(p.Lines, fmt.Sprintf("server %d", id), id-1, points)
	}
	return p
}

var (
	leads  = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	serves = color.RGBA{0xcf, 0xdd, 0xe8, 0xff}
	silent = color.RGBA{0xe6, 0x9f, 0x00, 0xff}
	away   = color.RGBA{0x33, 0x33, 0x33, 0xff}
)

// servers shows who led, who served and who did neither.
func servers(looks map[int][]Look) chart.Panel {
	p := chart.Panel{Title: "servers: leads (blue), serves (light), runs without serving or is stopped (orange), is down (black)"}
	all := sortedKeys(looks)
	for _, id := range all {
		y := float64(-id)
		p.Y.Names = append(p.Y.Names, chart.Name{At: y, Text: fmt.Sprintf("server %d", id)})
		list := looks[id]
		for i := 0; i < len(list); {
			j := i
			for j < len(list) && colourOf(list[j]) == colourOf(list[i]) {
				j++
			}
			p.Bars = append(p.Bars, chart.Bar{
				From: list[i].At.Minutes(), To: list[min(j, len(list)-1)].At.Minutes(), Y: y, Colour: colourOf(list[i]),
			})
			i = j
		}
	}
	p.Y.Min, p.Y.Max = float64(-len(all))-0.6, -0.4
	return p
}

func colourOf(l Look) color.Color {
	switch {
	case !l.Alive:
		return away
	case l.State == string(ensemble.Leader):
		return leads
	case l.State != "" && l.State != "read-only":
		return serves
	default:
		return silent
	}
}

// kinds shows when which sort of fault lasted.
func kinds(faults []Fault) chart.Panel {
	p := chart.Panel{Title: "faults"}
	at := map[Kind]float64{}
	for _, f := range faults {
		y, known := at[f.Kind]
		if !known {
			y = float64(-len(at))
			at[f.Kind] = y
			p.Y.Names = append(p.Y.Names, chart.Name{At: y, Text: string(f.Kind)})
		}
		p.Bars = append(p.Bars, chart.Bar{From: f.From.Minutes(), To: f.To.Minutes(), Y: y, Colour: chart.Palette[1]})
	}
	p.Y.Min, p.Y.Max = float64(-len(at))+0.4, 0.6
	return p
}
