// What every policy of the registry takes on the same capture, in QAQ's replay of it:
//   bench_policies CAPTURE.h5 [ROUNDS]
// Each is brought to a quarter of the bytes first, so that all do what they are for. Policies take
// turns, figures are medians. Nothing is read while the clock runs: keys, values, queries and whole
// attention are in memory, as a server has them.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "core/analysis/method_comparison.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/replay/memory_capture.h"
#include "data/capture/capture_file.h"

namespace qaq {
namespace {

constexpr double kBudget = 4, kGoal = 3;

std::shared_ptr<const CaptureView> in_memory(const CaptureView& capture) {
  CaptureInfo info = capture.info();
  MemoryCapture::Arrays arrays;
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    arrays.key.push_back(capture.key(layer)->copy());
    arrays.value.push_back(capture.value(layer)->copy());
    arrays.query.push_back(capture.query(layer)->copy());
    arrays.attention.push_back(capture.attention(layer, 0, info.n_query_rows())->copy());
  }
  info.profile = AttentionProfile::full;
  return std::make_shared<MemoryCapture>(std::move(info), std::move(arrays));
}

double median(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

struct Turns {
  const MethodAtBudget* row;
  std::vector<double> plan{}, code{};

  double seconds() const { return median(plan) + median(code); }
};

void measure(const std::string& path, int n_rounds) {
  const auto capture = in_memory(*open_capture(path));
  CaptureMeter meter({capture}, {}, {});
  const std::vector<double> budgets{kBudget};
  const auto rows = methods_at_budgets(compared_methods(), budgets, meter, {});
  std::vector<Turns> turns;
  for (const MethodAtBudget& row : rows) {
    if (row.fit.policy) {
      turns.push_back({&row});
    } else {
      std::printf("%s is not there: %s\n", row.method.c_str(), row.refusal.c_str());
    }
  }
  for (int round = 0; round < n_rounds; ++round) {
    for (Turns& each : turns) {
      const MeteredSeconds seconds = meter.seconds(*each.row->fit.policy);
      each.plan.push_back(seconds.plan);
      each.code.push_back(seconds.code);
    }
  }
  const CaptureInfo& info = capture->info();
  std::printf("%d threads, %lld tokens, %lld layers; %d turns; times QAQ's, at most %g wanted\n",
              thread_count(), static_cast<long long>(info.n_tokens),
              static_cast<long long>(info.n_captured_layers()), n_rounds, kGoal);
  std::printf("%-26s %8s %10s %10s %8s\n", "", "packed", "plan [ms]", "code [ms]", "ratio");
  const double own = turns.front().seconds();
  for (const Turns& each : turns) {
    const double ratio = each.seconds() / own;
    std::printf("%-26s %6.2f x %10.2f %10.2f %8.2f%s\n", each.row->method.c_str(),
                each.row->figures.ratio, 1e3 * median(each.plan), 1e3 * median(each.code), ratio,
                ratio > kGoal ? "  missed" : "");
  }
}

}  // namespace
}  // namespace qaq

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_policies CAPTURE.h5 [ROUNDS]\n");
    return 2;
  }
  try {
    qaq::measure(argv[1], argc > 2 ? std::stoi(argv[2]) : 5);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_policies: %s\n", error.what());
    return 1;
  }
}
