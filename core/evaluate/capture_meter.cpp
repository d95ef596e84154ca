#include "core/evaluate/capture_meter.h"

#include <utility>

#include "core/evaluate/time_in.h"
#include "core/replay/cache_replay.h"
#include "core/replay/planner.h"

namespace qaq {
namespace {

struct Size {
  PackedBytes packed;
  std::int64_t n_values = 0;

  void add(const ReplayResult& result) {
    for (const CacheReplay* cache : {&result.key, &result.value}) {
      packed += cache->packed;
      n_values += cache->n_values;
    }
  }
  double ratio() const {
    return 2 * static_cast<double>(n_values) / static_cast<double>(packed.total());
  }
};

// The mean over captures, of numbers that all of them have.
class Mean {
 public:
  void add(const std::optional<double>& value) {
    ++n_;
    if (value) {
      sum_ += *value;
    } else {
      whole_ = false;
    }
  }
  std::optional<double> value() const {
    if (!whole_) return {};
    return sum_ / n_;
  }

 private:
  double sum_ = 0, n_ = 0;
  bool whole_ = true;
};

}  // namespace

CaptureMeter::CaptureMeter(std::vector<std::shared_ptr<const CaptureView>> captures,
                           const SweepOptions& options, const Work& work)
    : silent_(nullptr, work.stop_token()) {
  for (auto& capture : captures) {
    auto sweeper = std::make_unique<Sweeper>(*capture, options, silent_);
    auto replayer = std::make_unique<Replayer>(*capture);
    captures_.push_back({std::move(capture), std::move(replayer), std::move(sweeper)});
    work.report({"read", std::ssize(captures_), std::ssize(captures), "captures"});
  }
}

std::int64_t CaptureMeter::n_rows() const {
  std::int64_t sum = 0;
  for (const Metered& each : captures_) sum += each.sweeper->n_rows();
  return sum;
}

double CaptureMeter::ratio(const std::shared_ptr<const CachePolicy>& policy) {
  Size size;
  for (const Metered& each : captures_) {
    size.add(*each.replayer->planned({{}, each.sweeper->prefix(), policy}, silent_));
  }
  return size.ratio();
}

std::vector<double> CaptureMeter::losses(
    std::span<const std::shared_ptr<const CachePolicy>> policies) {
  std::vector<double> out;
  for (const MeteredFigures& each : figures(policies)) {
    out.push_back(each.output_error.value_or(each.quantization_error));
  }
  return out;
}

std::vector<MeteredFigures> CaptureMeter::figures(
    std::span<const std::shared_ptr<const CachePolicy>> policies) {
  std::vector<Size> sizes(policies.size());
  std::vector<Mean> attention(policies.size()), output(policies.size()), values(policies.size());
  for (const Metered& each : captures_) {
    const auto results = each.sweeper->run(policies, silent_);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const ReplayResult& result = *results[i];
      sizes[i].add(result);
      attention[i].add(result.mean_attention_error);
      output[i].add(result.mean_output_error);
      values[i].add((result.key.quantization_error + result.value.quantization_error) / 2);
    }
  }
  std::vector<MeteredFigures> out;
  for (std::size_t i = 0; i < policies.size(); ++i) {
    out.push_back({sizes[i].packed, sizes[i].ratio(), attention[i].value(), output[i].value(),
                   values[i].value().value()});
  }
  return out;
}

MeteredSeconds CaptureMeter::seconds(const CachePolicy& policy) const {
  seconds_once(policy);
  return seconds_once(policy);
}

MeteredSeconds CaptureMeter::seconds_once(const CachePolicy& policy) const {
  MeteredSeconds out;
  for (const Metered& each : captures_) {
    Planner planner(*each.capture);
    std::vector<PlannedCache> plans;
    {
      const TimeIn time(out.plan);
      for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
        plans.push_back(planner.plan(policy, side, each.sweeper->prefix(), silent_));
      }
    }
    const TimeIn time(out.code);
    for (const PlannedCache& plan : plans) {
      for (std::int64_t layer = 0; layer < each.capture->info().n_captured_layers(); ++layer) {
        quantized_layer(*each.capture, plan, layer);
      }
    }
  }
  return out;
}

}  // namespace qaq
