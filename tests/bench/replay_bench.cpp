// Our replays as one of the programs of tests/bench/replay, which takes turns between them:
//   bench_replay CAPTURE.h5 [THREADS]
// speaks the protocol of tests/bench/rivals/README.md:
//   quantize KIND LEVEL  keys and values of the whole capture, as rivals/quantizer_bench.py does it
//   copy                 the same bytes read and written once: the least that quantizing can take
//   limits               what the machine can do: FMA peak and reading memory

#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/version.h"
#include "core/policy/importance.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/quantize.h"
#include "core/tensor/vector_math.h"
#include "data/capture/capture_file.h"
#include "tests/bench/machine_limits.h"

namespace qaq::bench {
namespace {

using Json = nlohmann::ordered_json;
using Cache = std::vector<NdArray<float, 3>>;

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

QaqParams params_of_kind(const std::string& kind, const std::string& level) {
  QaqParams params;
  set_parameter(params, "level", ParameterValue(level));
  set_parameter(params, "outliers_ratio", ParameterValue(kind.ends_with("outliers") ? 0.01 : 0.0));
  set_parameter(params, "use_attentions", ParameterValue(kind.starts_with("attention")));
  return params;
}

class Program {
 public:
  explicit Program(const std::string& path) {
    const auto capture = open_capture(path);
    const CaptureInfo& info = capture->info();
    shape_ = {info.n_captured_layers(), info.shape.n_kv_heads, info.n_tokens, info.shape.head_dim};
    importance_ = NdArray<float, 3>({shape_.n_layers, shape_.n_kv_heads, shape_.n_tokens});
    for (std::int64_t layer = 0; layer < shape_.n_layers; ++layer) {
      key_.push_back(capture->key(layer)->copy());
      value_.push_back(capture->value(layer)->copy());
      out_.emplace_back(key_.back().shape());
      const std::int64_t n_rows = 5;
      window_importance(capture->attention(layer, info.n_query_rows() - n_rows, n_rows)->view(),
                        GqaReduce::max, importance_.sub(layer));
    }
  }

  Json hello() const {
    return {{"ready", true},
            {"program", "qaq"},
            {"version", program_version()},
            {"threads", thread_count()},
            {"simd", simd_target_name()},
            {"tokens", shape_.n_tokens},
            {"values", 2 * shape_.n_values()}};
  }

  Json quantize(const std::string& kind, const std::string& level) {
    const QaqPolicy policy(params_of_kind(kind, level));
    double seconds = 0;
    Json bits = Json::array(), errors = Json::array();
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      const Cache& cache = side == CacheSide::key ? key_ : value_;
      std::vector<Plan> plans;
      seconds += seconds_of([&] { plans = quantize_cache(policy, side, cache); });
      double sum = 0, n_units = 0, error = 0;
      for (const Plan& plan : plans) {
        for (const std::uint8_t b : plan.n_bits) sum += b;
        n_units += static_cast<double>(plan.n_bits.size());
      }
      for (std::size_t layer = 0; layer < cache.size(); ++layer) {
        for (std::int64_t i = 0; i < cache[layer].size(); ++i) {
          const double d = static_cast<double>(out_[layer].data()[i]) - cache[layer].data()[i];
          error += d * d;
        }
      }
      bits.push_back(sum / n_units);
      errors.push_back(error / static_cast<double>(shape_.n_values()));
    }
    return {{"seconds", seconds}, {"bits", bits}, {"errors", errors}};
  }

  Json copy() {
    const double seconds = seconds_of([&] {
      for (const Cache* cache : {&key_, &value_}) {
        parallel_for(shape_.n_layers, [&](std::int64_t layer) {
          const auto from = (*cache)[static_cast<std::size_t>(layer)].span();
          std::copy(from.begin(), from.end(), out_[static_cast<std::size_t>(layer)].data());
        });
      }
    });
    return {{"seconds", seconds}, {"bytes", 2 * 2 * 4 * shape_.n_values()}};
  }

  static Json limits() { return {{"fma_peak", fma_peak()}, {"read_rate", read_rate()}}; }

 private:
  // One plan a group of layers that units span: all at level token, else each layer, which is a
  // cache of its own while it lies in a processor's caches.
  std::vector<Plan> quantize_cache(const QaqPolicy& policy, CacheSide side, const Cache& cache) {
    const QuantizerSpec spec = policy.needs(side).quantizer;
    const std::int64_t together = spec.level == Level::token ? shape_.n_layers : 1;
    CacheShape group = shape_;
    group.n_layers = together;
    const UnitLayout layout(spec.level, group);
    const std::int64_t n_units = layout.n_units();
    std::vector<CacheLayer> layers;
    for (const auto& layer : cache) layers.push_back(layer.view());
    stats_.resize(static_cast<std::size_t>(shape_.n_layers / together * n_units));
    std::vector<Plan> plans(static_cast<std::size_t>(shape_.n_layers / together));
    parallel_for(std::ssize(plans), [&](std::int64_t i) {
      const auto at = [](std::int64_t n) { return static_cast<std::size_t>(n); };
      const auto in = std::span(layers).subspan(at(i * together), at(together));
      const auto stats = std::span(stats_).subspan(at(i * n_units), at(n_units));
      fill_unit_stats(layout, spec, 0, in, stats);
      PolicyView view;
      view.side = side;
      view.layout = layout;
      view.stats = stats;
      view.importance = NdView<const float, 3>(importance_.sub(i * together).data(),
                                               {together, shape_.n_kv_heads, shape_.n_tokens});
      Plan& plan = plans[at(i)] = policy.plan(view);
      parallel_for(together, [&](std::int64_t layer) {
        quantize_layer(plan, stats, layer, in[at(layer)],
                       {out_[at(i * together + layer)].view(), {}});
      });
    });
    return plans;
  }

  CacheShape shape_;
  Cache key_, value_, out_;
  NdArray<float, 3> importance_;
  std::vector<UnitStats> stats_;
};

void serve(Program& program) {
  const auto answer = [](const Json& json) { std::cout << json.dump() << std::endl; };
  answer(program.hello());
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, kind, level;
    words >> command >> kind >> level;
    Json json{{"command", line}};
    try {
      json.update(command == "quantize" ? program.quantize(kind, level)
                  : command == "copy"   ? program.copy()
                  : command == "limits" ? Program::limits()
                                        : Json{{"error", "unknown command"}});
    } catch (const std::exception& error) {
      json["error"] = error.what();
    }
    answer(json);
  }
}

}  // namespace
}  // namespace qaq::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_replay CAPTURE.h5 [THREADS]\n");
    return 2;
  }
  try {
    if (argc > 2) qaq::set_thread_count(std::stoi(argv[2]));
    qaq::bench::Program program(argv[1]);
    qaq::bench::serve(program);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_replay: %s\n", error.what());
    return 1;
  }
}
