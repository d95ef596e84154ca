#include "tests/gpu_check/table.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/base/text.h"
#include "gpu/device/probe.h"

namespace qaq::gpu_check {
namespace {

constexpr std::size_t kColumns = 9;
using Line = std::array<std::string, kColumns>;

template <class... Numbers>
std::string formatted(const char* format, Numbers... numbers) {
  char text[64];
  std::snprintf(text, sizeof text, format, numbers...);
  return text;
}

std::string time_text(double seconds) {
  if (seconds <= 0) return "";
  if (seconds < 1e-3) return formatted("%.1f us", seconds * 1e6);
  return formatted("%.3f ms", seconds * 1e3);
}

std::string rate_text(const Timed& timed) {
  if (rate_of(timed) <= 0) return "";
  if (is_arithmetic(timed.limit)) return formatted("%.1f TFLOP/s", rate_of(timed) / 1e12);
  return formatted("%.1f", rate_of(timed) / 1e9);
}

std::string percent_text(std::optional<double> share) {
  return share ? formatted("%.1f", *share * 100) : "";
}

// What stands in the last column.
std::string verdict_text(const Row& row) {
  std::string text = verdict_name(row.verdict);
  if (!row.note.empty()) text += (text.empty() ? "" : ": ") + row.note;
  return text;
}

Line line_of(const Row& row, const Machine& machine) {
  Line line;
  line[0] = row.name;
  line[1] = row.shape;
  line[8] = verdict_text(row);
  if (row.compared) {
    line[7] = formatted("%.2g <= %.2g", row.compared->worst, row.compared->bound);
  }
  if (row.timed) {
    line[2] = time_text(row.timed->seconds);
    if (row.timed->bytes > 0) line[3] = byte_text(static_cast<std::int64_t>(row.timed->bytes));
    line[4] = rate_text(*row.timed);
    line[5] = percent_text(datasheet_share(*row.timed, machine));
    line[6] = percent_text(copy_share(*row.timed, machine));
    if (row.timed->goal > 0) line[7] = formatted(">= %.0f %%", row.timed->goal * 100);
    if (row.timed->most_seconds > 0) line[7] = "<= " + time_text(row.timed->most_seconds);
  }
  return line;
}

// How much of its bound a comparison used up.
double share_of_bound(const Row& row) {
  return row.compared->bound > 0 ? row.compared->worst / row.compared->bound : row.compared->worst;
}

// One line for comparisons that passed.
Line line_of_group(const std::vector<const Row*>& passed, const Machine& machine) {
  const Row& nearest =
      **std::ranges::max_element(passed, {}, [](const Row* row) { return share_of_bound(*row); });
  Line line = line_of(nearest, machine);
  line[0] = nearest.group;
  line[1] = nearest.shape;
  if (nearest.name != nearest.group) {
    line[1] = nearest.name + (nearest.shape.empty() ? "" : ": ") + nearest.shape;
  }
  if (passed.size() > 1) line[1] = cat(passed.size(), " cases; ", line[1]);
  return line;
}

std::vector<Line> lines_of(const Report& report) {
  std::vector<Line> lines{{"name", "shape", "time", "bytes", "GB/s", "% of datasheet",
                           "% of measured copy", "goal", "ok"}};
  for (std::size_t i = 0; i < report.rows.size();) {
    const Row& first = report.rows[i];
    std::vector<const Row*> passed;
    for (; i < report.rows.size(); ++i) {
      const Row& row = report.rows[i];
      if (row.section != first.section || row.group != first.group) break;
      if (row.compared && row.verdict == Verdict::ok) {
        passed.push_back(&row);
      } else {
        lines.push_back(line_of(row, report.machine));
      }
    }
    if (!passed.empty()) lines.push_back(line_of_group(passed, report.machine));
  }
  return lines;
}

// Of bytes; names and shapes are ASCII.
std::string aligned(const std::vector<Line>& lines) {
  std::array<std::size_t, kColumns> widths{};
  for (const Line& line : lines) {
    for (std::size_t c = 0; c < kColumns; ++c) widths[c] = std::max(widths[c], line[c].size());
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row;
    for (std::size_t c = 0; c < kColumns; ++c) {
      const std::string gap(widths[c] - line[c].size(), ' ');
      // Numbers end in one column, words begin in one.
      const bool number = c >= 2 && c <= 6;
      row += number ? gap + line[c] : line[c] + gap;
      row += "  ";
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

std::string summary(const Report& report) {
  std::int64_t n_failed = 0;
  for (const char* section : {"trust", "correct", "fast"}) {
    n_failed += report.count(section, Verdict::failed);
  }
  return cat(report.passed() ? "PASS" : "FAIL", ": ", report.count("correct", Verdict::ok),
             " comparisons passed, ", n_failed, " failed, ",
             report.count("correct", Verdict::skipped), " skipped; ",
             report.count("fast", Verdict::ok), " goals of speed met, ",
             report.count("fast", Verdict::slow), " slow\n");
}

}  // namespace

std::string table_text(const Report& report) {
  const Machine& machine = report.machine;
  const std::string datasheet =
      machine.memory_rate > 0
          ? cat(machine.memory_rate / 1e12, " TB/s, ", machine.f32_rate / 1e12, " float32 and ",
                machine.half_rate / 1e12, " 16-bit TFLOP/s by its datasheet")
          : std::string("datasheet not known");
  return cat(machine.name, ", compute capability ", machine.capability / 10, ".",
             machine.capability % 10, ", CUDA ", cuda::version_text(machine.driver), " driver, ",
             cuda::version_text(machine.runtime), " runtime, ", machine.products, ", ", datasheet,
             ", commit ", report.commit, "\n", aligned(lines_of(report)), summary(report));
}

}  // namespace qaq::gpu_check
