package chart

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// Axis of a panel.
type Axis struct {
	Label string // with the unit
	Log   bool
	// Min and Max when they differ; otherwise the points decide, and a linear axis begins at 0.
	Min, Max float64
	// Names, when set, are the only ticks: where and what.
	Names []Name
}

// Name is a tick with words.
type Name struct {
	At   float64
	Text string
}

func (a Axis) apply(to *plot.Axis) {
	to.Label.Text = a.Label
	to.Label.TextStyle.Font.Size = 12
	to.Tick.Label.Font.Size = 11
	switch {
	case a.Min != a.Max:
		to.Min, to.Max = a.Min, a.Max
	case a.Log:
		to.Min, to.Max = decadeBelow(to.Min), to.Max*1.2
	default:
		to.Min = min(to.Min, 0)
	}
	to.Tick.Marker = plot.TickerFunc(a.ticks)
	if a.Log {
		to.Scale = plot.LogScale{}
	}
}

// headroom keeps the legend, which is at the top, off the lines.
func (a Axis) headroom(to *plot.Axis, entries int) {
	if a.Min != a.Max {
		return
	}
	share := min(0.07*float64(entries+1), 0.5)
	if a.Log {
		to.Max *= math.Pow(to.Max/to.Min, share)
		return
	}
	to.Max += (to.Max - to.Min) * share
}

func decadeBelow(v float64) float64 { return math.Pow(10, math.Floor(math.Log10(v))) }

func (a Axis) ticks(lo, hi float64) []plot.Tick {
	var all []plot.Tick
	switch {
	case len(a.Names) > 0:
		for _, n := range a.Names {
			all = append(all, plot.Tick{Value: n.At, Label: n.Text})
		}
	case a.Log:
		for decade := decadeBelow(lo); decade <= hi*1.0001; decade *= 10 {
			for i := 1.0; i < 10; i++ {
				if v := i * decade; v >= lo*0.9999 && v <= hi*1.0001 {
					t := plot.Tick{Value: v}
					if i == 1 {
						t.Label = Short(v)
					}
					all = append(all, t)
				}
			}
		}
	default:
		for _, t := range (plot.DefaultTicks{}).Ticks(lo, hi) {
			if !t.IsMinor() {
				t.Label = Short(t.Value)
			}
			all = append(all, t)
		}
	}
	return all
}

// Short writes a number for an axis: 1500000 is 1.5M, 0.01 is 0.01.
func Short(v float64) string {
	for _, u := range []struct {
		unit float64
		sign string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= u.unit*0.9999 {
			return strconv.FormatFloat(math.Round(v/u.unit*1000)/1000, 'g', -1, 64) + u.sign
		}
	}
	return fmt.Sprintf("%.4g", v)
}
