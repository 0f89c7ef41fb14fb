// Package chart draws what a bench measured: lines over labelled axes, one panel below the other, each
// server in the same colour on every chart. It knows nothing of servers but their names and nothing of
// measurements but points.
package chart

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Point is one pair of coordinates.
type Point struct{ X, Y float64 }

// Style tells lines of one server from each other.
type Style int

const (
	Solid Style = iota
	Dashed
	Dotted
)

// Line is a series of points in the order of X.
type Line struct {
	Server string // decides the colour, unless it has one
	Colour color.Color
	Name   string // in the legend; empty: not there
	Points []Point
	Style  Style
	Marks  bool // a dot on each point, for few points
}

// Span is a stretch of X in which something went on, shaded.
type Span struct{ From, To float64 }

// Panel is one pair of axes.
type Panel struct {
	Title string
	X, Y  Axis
	Lines []Line
	Bars  []Bar
	Spans []Span
	// SpanName is the legend's word for the shades.
	SpanName string
}

// Chart is panels one below the other.
type Chart struct {
	Title  string
	Panels []Panel
	// Width and Height in points; 0: defaults.
	Width, Height vg.Length
}

const (
	defaultWidth = 640
	panelHeight  = 340
	dotsPerInch  = 144
)

func init() {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	plotter.DefaultFont = plot.DefaultFont
}

// Write draws the chart into a file, SVG or PNG by its name's ending. Equal charts make equal files.
func (c Chart) Write(file string) (err error) {
	w, h := c.size()
	var canvas vg.CanvasWriterTo
	switch ext := filepath.Ext(file); ext {
	case ".svg":
		canvas = webCanvas{vgsvg.New(w, h)}
	case ".png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dotsPerInch))}
	default:
		return fmt.Errorf("chart %s: no format for %q", file, ext)
	}
	if err := c.draw(draw.New(canvas)); err != nil {
		return fmt.Errorf("chart %s: %w", file, err)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = canvas.WriteTo(f)
	return err
}

// SVG draws the chart for a page that it is part of.
func (c Chart) SVG() ([]byte, error) {
	canvas := webCanvas{vgsvg.New(c.size())}
	if err := c.draw(draw.New(canvas)); err != nil {
		return nil, fmt.Errorf("chart %q: %w", c.Title, err)
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	// What stands before the element belongs to a file of its own.
	return b.Bytes()[max(0, bytes.Index(b.Bytes(), []byte("<svg"))):], nil
}

func (c Chart) size() (w, h vg.Length) {
	if w, h = c.Width, c.Height; w == 0 {
		w = defaultWidth
	}
	if h == 0 {
		h = vg.Length(panelHeight * len(c.Panels))
	}
	return w, h
}

// webCanvas names fonts of the same widths for who has not the one that was drawn with; a browser would
// take one with serifs.
type webCanvas struct{ *vgsvg.Canvas }

func (c webCanvas) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	if _, err := c.Canvas.WriteTo(&b); err != nil {
		return 0, err
	}
	n, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")))
	return int64(n), err
}

func (c Chart) draw(dc draw.Canvas) error {
	dc.SetColor(color.White)
	dc.Fill(dc.Rectangle.Path())
	plots := make([][]*plot.Plot, len(c.Panels))
	for i, p := range c.Panels {
		drawn, err := p.plot()
		if err != nil {
			return err
		}
		if i == 0 && c.Title != "" {
			drawn.Title.Text = strings.TrimSuffix(c.Title+"\n"+p.Title, "\n")
		}
		plots[i] = []*plot.Plot{drawn}
	}
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadX: 10, PadY: 14, PadTop: 10, PadBottom: 10, PadLeft: 10, PadRight: 18}
	for i, row := range plot.Align(plots, tiles, dc) {
		plots[i][0].Draw(row[0])
	}
	return nil
}

// plot makes the panel's axes and what is in them.
func (p Panel) plot() (*plot.Plot, error) {
	drawn := plot.New()
	drawn.Title.Text = p.Title
	drawn.Title.TextStyle.Font.Size = 13
	drawn.Title.Padding = 8
	drawn.Legend.Top, drawn.Legend.Left = true, true // text that is wider than reckoned does not meet its line
	drawn.Legend.TextStyle.Font.Size = 11
	drawn.Legend.ThumbnailWidth = 26
	drawn.Legend.Padding = 2
	drawn.Legend.XOffs = 12
	drawn.Add(grid())
	p.shade(drawn)
	if len(p.Bars) > 0 {
		drawn.Add(bars(p.Bars))
	}
	for _, l := range p.Lines {
		if err := l.add(drawn, p.Y.Log); err != nil {
			return nil, err
		}
	}
	p.X.apply(&drawn.X)
	p.Y.apply(&drawn.Y)
	p.Y.headroom(&drawn.Y, len(p.Lines))
	return drawn, nil
}

func grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = color.Gray{0xe6}, color.Gray{0xe6}
	return g
}

func (l Line) add(drawn *plot.Plot, positive bool) error {
	xys := make(plotter.XYs, 0, len(l.Points))
	for _, pt := range l.Points {
		if positive && pt.Y <= 0 {
			continue // a logarithmic axis has no place for it
		}
		xys = append(xys, plotter.XY(pt))
	}
	if len(xys) == 0 {
		return nil
	}
	line, err := plotter.NewLine(xys)
	if err != nil {
		return fmt.Errorf("line %q: %w", l.Name, err)
	}
	if line.Color = l.Colour; l.Colour == nil {
		line.Color = Colour(l.Server)
	}
	line.Width = 1.8
	line.Dashes = dashes[l.Style]
	thumbs := []plot.Thumbnailer{line}
	drawn.Add(line)
	if l.Marks {
		dots, err := plotter.NewScatter(xys)
		if err != nil {
			return fmt.Errorf("line %q: %w", l.Name, err)
		}
		dots.Color, dots.Shape, dots.Radius = line.Color, draw.CircleGlyph{}, 3
		drawn.Add(dots)
		thumbs = append(thumbs, dots)
	}
	if l.Name != "" {
		drawn.Legend.Add(l.Name, thumbs...)
	}
	return nil
}

var dashes = map[Style][]vg.Length{Solid: nil, Dashed: {7, 4}, Dotted: {2, 3}}
