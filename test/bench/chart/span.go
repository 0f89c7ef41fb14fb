package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

var spanColour = color.RGBA{0xf0, 0xe4, 0xb8, 0xff}

// shades draws spans over the whole height of a panel, behind what is added later. It has no data range
// of its own, so that it does not widen the axes.
type shades []Span

func (s shades) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for _, span := range s {
		from, to := max(span.From, p.X.Min), min(span.To, p.X.Max)
		if from >= to {
			continue
		}
		area := c.Rectangle
		area.Min.X, area.Max.X = x(from), x(to)
		c.SetColor(spanColour)
		c.Fill(area.Path())
	}
}

// Thumbnail is the legend's sample of a shade.
func (s shades) Thumbnail(c *draw.Canvas) {
	c.SetColor(spanColour)
	c.Fill(c.Rectangle.Path())
}

func (p Panel) shade(drawn *plot.Plot) {
	if len(p.Spans) == 0 {
		return
	}
	drawn.Add(shades(p.Spans))
	if p.SpanName != "" {
		drawn.Legend.Add(p.SpanName, shades(p.Spans))
	}
}
