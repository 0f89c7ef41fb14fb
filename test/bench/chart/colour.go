package chart

import (
	"image/color"
	"strings"
)

// Colours that those who confuse red and green tell apart too.
var colours = []struct {
	server string // or the beginning of its name
	colour color.RGBA
}{
	{"zkd", color.RGBA{0x00, 0x66, 0xb3, 0xff}},
	{"zookeeper", color.RGBA{0xd5, 0x5e, 0x00, 0xff}},
	{"floor", color.RGBA{0x70, 0x70, 0x70, 0xff}},
}

var otherColour = color.RGBA{0x8e, 0x44, 0xad, 0xff}

// Colour is that of a server on every chart.
func Colour(server string) color.Color {
	for _, c := range colours {
		if strings.HasPrefix(strings.ToLower(server), c.server) {
			return c.colour
		}
	}
	return otherColour
}

// Palette are colours for what belongs to no product: told apart by everybody, in this order.
var Palette = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff},
	color.RGBA{0xd5, 0x5e, 0x00, 0xff},
	color.RGBA{0x00, 0x9e, 0x73, 0xff},
	color.RGBA{0xcc, 0x79, 0xa7, 0xff},
	color.RGBA{0xe6, 0x9f, 0x00, 0xff},
	color.RGBA{0x56, 0xb4, 0xe9, 0xff},
	color.RGBA{0x55, 0x55, 0x55, 0xff},
}
