package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bar is a stretch of X at a height: something that lasted, among others of its sort.
type Bar struct {
	From, To, Y float64
	Colour      color.Color
}

const (
	barHeight = 0.7 // of the distance from one integer of Y to the next
	barWidth  = 1.2 // at least, in points, so that what was short is seen
)

type bars []Bar

// Plot implements plot.Plotter. Bars have no data range: whoever has some sets the axes.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, bar := range b {
		if bar.To < p.X.Min || bar.From > p.X.Max {
			continue
		}
		area := vg.Rectangle{
			Min: vg.Point{X: x(max(bar.From, p.X.Min)), Y: y(bar.Y - barHeight/2)},
			Max: vg.Point{X: x(min(bar.To, p.X.Max)), Y: y(bar.Y + barHeight/2)},
		}
		area.Max.X = max(area.Max.X, area.Min.X+barWidth)
		c.SetColor(bar.Colour)
		c.Fill(area.Path())
	}
}
