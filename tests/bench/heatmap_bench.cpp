// Our heatmap engine as one of the programs of tests/bench/heatmap, which takes turns between them:
//   bench_heatmap ROWS COLUMNS [THREADS]
// speaks the protocol of tests/bench/rivals/README.md, on a float32 map in a picture of 1200 x 700:
//   read      one read of the map by a plain summing loop
//   paint     first paint of a new map: reduced, coloured, as a QImage
//   recolour  the same picture in other colours
//   zoom      another part of a map that was painted before, half as wide and high
//   pan       that part moved by 40 pixels within the picture at hand, drawn
//   limits    what the machine can do: reading memory on all threads

#include <QPainter>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/parallel.h"
#include "core/base/version.h"
#include "tests/bench/machine_limits.h"
#include "views/plots/cell_frame.h"
#include "views/plots/tile.h"

namespace qaq::bench {
namespace {

using Json = nlohmann::ordered_json;
using views::ColorMap;
using views::Palette;
using views::ThemeKind;
using views::Tile;
using views::TileRequest;

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

volatile float sink;  // keeps results from being left out

class Program {
 public:
  Program(std::int64_t rows, std::int64_t columns) {
    auto cells = std::make_shared<NdArray<float, 2>>(Shape<2>{rows, columns});
    std::uint32_t state = 0;  // the matrix of rivals/matplotlib_bench.py
    for (float& cell : cells->span()) {
      state += 2654435761u;
      cell = static_cast<float>(state >> 8) * 0x1p-24f;
    }
    cells_ = std::move(cells);
    request_.map = new_map();
    request_.area = request_.map->area();
    request_.pixels = QSize(1200, 700);
    request_.colors = ColorMap::logarithmic(Palette::of(ThemeKind::light).viridis(), 1e-4, 1);
  }

  static Json hello() {
    return {{"ready", true},
            {"program", "qaq"},
            {"version", program_version()},
            {"threads", thread_count()}};
  }

  Json read() const {
    const auto cells = cells_->span();
    const double seconds = seconds_of([&] {
      float sum = 0;
      for (const float cell : cells) sum += cell;
      sink = sum;
    });
    return {{"seconds", seconds}, {"bytes", 4 * cells_->size()}};
  }

  Json paint() {
    request_.map = new_map();  // nothing merged in advance
    return {{"seconds", seconds_of([&] { painted_ = views::renderTile(request_); })}};
  }

  Json recolour() {
    TileRequest other = request_;
    other.colors = other.colors.withTable(Palette::of(ThemeKind::light).cividis());
    return {{"seconds", seconds_of([&] { views::renderTile(other, painted_); })}};
  }

  Json zoom() {
    zoomed_ = request_;
    const double columns = request_.area.right, rows = request_.area.bottom;
    zoomed_.area = {columns / 4, rows / 4, columns * 3 / 4, rows * 3 / 4};
    views::renderTile(request_);  // the map is known by now
    return {{"seconds", seconds_of([&] { part_ = views::renderTile(zoomed_.padded()); })}};
  }

  Json pan() const {
    TileRequest moved = zoomed_;
    const double step = (moved.area.right - moved.area.left) / moved.pixels.width();
    moved.area.left += 40 * step;
    moved.area.right += 40 * step;
    QImage screen(moved.pixels, QImage::Format_RGB32);
    const double seconds = seconds_of([&] {
      const QPoint place = part_.request.placeOf(moved).value();
      QPainter(&screen).drawImage(-place, part_.image);
    });
    return {{"seconds", seconds}};
  }

  static Json limits() { return {{"read_rate", read_rate()}}; }

 private:
  SharedHeatmap new_map() const { return std::make_shared<const Heatmap>(cells_); }

  SharedArray<float, 2> cells_;
  TileRequest request_, zoomed_;
  Tile painted_, part_;
};

void serve(Program& program) {
  const auto answer = [](const Json& json) { std::cout << json.dump() << std::endl; };
  answer(Program::hello());
  for (std::string command; std::getline(std::cin, command);) {
    Json json{{"command", command}};
    json.update(command == "read"       ? program.read()
                : command == "paint"    ? program.paint()
                : command == "recolour" ? program.recolour()
                : command == "zoom"     ? program.zoom()
                : command == "pan"      ? program.pan()
                : command == "limits"   ? Program::limits()
                                        : Json{{"error", "unknown command"}});
    answer(json);
  }
}

}  // namespace
}  // namespace qaq::bench

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_heatmap ROWS COLUMNS [THREADS]\n");
    return 2;
  }
  if (argc > 3) qaq::set_thread_count(std::stoi(argv[3]));
  qaq::bench::Program program(std::stoll(argv[1]), std::stoll(argv[2]));
  qaq::bench::serve(program);
}
