#include "app/cli/bound_table.h"

#include <algorithm>
#include <cstdio>

#include "core/base/text.h"

namespace qaq::cli {
namespace {

constexpr std::size_t kWorstHeads = 5;

// What each promise limits.
const char* meaning_of(Promise promise) {
  switch (promise) {
    case Promise::scores:
      return "scores: ||S' - S|| of a row, keys quantized";
    case Promise::key_outputs:
      return "outputs, keys alone: RMS of X' - X over channels";
    case Promise::value_outputs:
      return "outputs, values alone: RMS of X' - X over channels";
    case Promise::outputs:
      return "outputs, both caches: RMS of X' - X over channels";
  }
  return "";
}

const char* meaning_of(BoundCondition condition) {
  switch (condition) {
    case BoundCondition::query_norm:
      return "(i) query longer than assumed";
    case BoundCondition::persistence:
      return "(ii) score above the window's";
    case BoundCondition::bits_max:
      return "(iii) n_bits_max held bits back";
    case BoundCondition::first_order:
      return "(iv) logit error beyond v_max";
    case BoundCondition::few_bits:
      return "(v) units of under 3 bits";
    case BoundCondition::horizon:
      return "(vi) more keys than counted";
  }
  return "";
}

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void print_achieved(const std::string& name, const Achieved& achieved, double e) {
  std::printf("  %-34s %9.3g %9.2f %% %12.3g\n", name.c_str(), achieved.row_rms / e,
              percent(achieved.n_over, achieved.n_rows), achieved.entry_rms / e);
}

void print_cell(const std::string& name, const BoundCell& cell, double e) {
  print_achieved(name, cell.replayed, e);
  if (cell.drawn) print_achieved("  Monte-Carlo", *cell.drawn, e);
}

void print_conditions(const PromiseReport& report) {
  const Achieved& all = report.all.replayed;
  std::printf("  %-34s %11s %22s\n", "broken", "rows", "rows above the promise");
  for (std::size_t i = 0; i < kBoundConditions; ++i) {
    if (!report.rests_on[i]) continue;
    const ConditionCount& count = report.all.conditions[i];
    std::printf("    %-32s %9.2f %% %13lld of %lld\n", meaning_of(static_cast<BoundCondition>(i)),
                percent(count.n_rows, all.n_rows), static_cast<long long>(count.n_over),
                static_cast<long long>(all.n_over));
  }
  std::printf("    %-32s %11s %13lld of %lld\n", "none of these", "",
              static_cast<long long>(report.all.n_over_unbroken),
              static_cast<long long>(all.n_over));
}

void print_promise(const PromiseReport& report) {
  std::printf("%s; %s %s\n", meaning_of(report.promise), report.promised ? "promised" : "against",
              number_text(report.e).c_str());
  if (!report.promised) std::printf("  (nothing is promised of what keys do to outputs)\n");
  std::printf("  %-34s %9s %11s %12s\n", "over the promise", "row RMS", "rows above",
              "worst entry");
  print_cell(cat("all ", report.cells.size(), " heads, ", report.all.replayed.n_rows, " rows"),
             report.all, report.e);
  std::vector<BoundCell> worst = report.cells;
  std::stable_sort(worst.begin(), worst.end(), [](const BoundCell& a, const BoundCell& b) {
    return a.replayed.row_rms > b.replayed.row_rms;
  });
  worst.resize(std::min(worst.size(), kWorstHeads));
  for (const BoundCell& cell : worst) {
    print_cell(cat("worst: layer ", cell.layer, ", head ", cell.head), cell, report.e);
  }
  print_conditions(report);
}

}  // namespace

void print_bound_table(const BoundCheck& check) {
  std::printf(
      "promises of the first %lld tokens, held against %s%s; units get %.2f bits of keys, "
      "%.2f of values\n",
      static_cast<long long>(check.prefix),
      check.in_sample ? "the rows inside them (in-sample)" : "the rows behind them",
      check.see_future ? ", whose scores the bits knew" : "", check.key_mean_bits,
      check.value_mean_bits);
  if (check.n_draws > 0) {
    std::printf(
        "Monte-Carlo: %lld draws of even rounding errors, seed %llu; of each row and entry its "
        "mean over the draws\n",
        static_cast<long long>(check.n_draws), static_cast<unsigned long long>(check.seed));
  }
  for (const PromiseReport& report : check.promises) print_promise(report);
}

}  // namespace qaq::cli
