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
      Plan plan;
      seconds += seconds_of([&] { plan = quantize_cache(policy, side, cache); });
      double sum = 0, error = 0;
      for (const std::uint8_t b : plan.n_bits) sum += b;
      for (std::size_t layer = 0; layer < cache.size(); ++layer) {
        for (std::int64_t i = 0; i < cache[layer].size(); ++i) {
          const double d = static_cast<double>(out_[layer].data()[i]) - cache[layer].data()[i];
          error += d * d;
        }
      }
      bits.push_back(sum / static_cast<double>(plan.n_bits.size()));
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
  Plan quantize_cache(const QaqPolicy& policy, CacheSide side, const Cache& cache) {
    const QuantizerSpec spec = policy.needs(side).quantizer;
    PolicyView view;
    view.side = side;
    view.layout = UnitLayout(spec.level, shape_);
    stats_.resize(static_cast<std::size_t>(view.layout.n_units()));
    std::vector<CacheLayer> layers;
    for (const auto& layer : cache) layers.push_back(layer.view());
    // At level token a unit spans all layers; else as a replay reads them, one at a time.
    const std::size_t n = spec.level == Level::token ? layers.size() : 1;
    for (std::size_t first = 0; first < layers.size(); first += n) {
      fill_unit_stats(view.layout, spec.outliers_ratio, static_cast<std::int64_t>(first),
                      std::span(layers).subspan(first, n), stats_);
    }
    view.stats = stats_;
    view.importance = importance_.view();
    Plan plan = policy.plan(view);
    for (std::int64_t layer = 0; layer < shape_.n_layers; ++layer) {
      const auto at = static_cast<std::size_t>(layer);
      quantize_layer(plan, stats_, layer, layers[at], {out_[at].view(), {}});
    }
    return plan;
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
