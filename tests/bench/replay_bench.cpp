// Our replays as one of the programs of tests/bench/replay, which takes turns between them:
//   bench_replay CAPTURE.h5 [THREADS]
// speaks the protocol of tests/bench/rivals/README.md:
//   quantize KIND LEVEL  keys and values of the whole capture, as rivals/quantizer_bench.py does it
//   quantize_measured LEVEL  plans at hand: values and the errors of every row in one pass
//   attention            errors of scores and outputs of every row, over some layers
//   sgemm                products as large as a processor likes them
//   limits               what the machine can do: FMA peak and reading memory

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <utility>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/version.h"
#include "core/policy/importance.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/quantize.h"
#include "core/replay/row_errors.h"
#include "core/tensor/matmul.h"
#include "core/tensor/vector_math.h"
#include "data/capture/capture_file.h"
#include "tests/bench/machine_limits.h"

namespace qaq::bench {
namespace {

using Json = nlohmann::ordered_json;
using Cache = std::vector<NdArray<float, 3>>;

// Of one time, after one that brings threads, pages and caches back from whoever ran before; short
// work is repeated for some tens of milliseconds.
double seconds_of(const std::function<void()>& body) {
  using Clock = std::chrono::steady_clock;
  body();
  const auto start = Clock::now();
  double seconds = 0;
  int n = 0;
  for (; seconds < 0.05; ++n) {
    body();
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return seconds / n;
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
      if (layer < kAttentionLayers) {
        query_.push_back(capture->query(layer));
        scores_.push_back(capture->attention(layer, 0, shape_.n_tokens));
      }
      exact_[0].push_back(capture->key(layer)->copy());
      exact_[1].push_back(capture->value(layer)->copy());
      for (Cache& out : out_) out.emplace_back(exact_[0].back().shape());
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
    std::array<std::vector<Plan>, 2> plans;
    const double seconds = seconds_of([&] {
      plans[0] = quantize_cache(policy, CacheSide::key);
      plans[1] = quantize_cache(policy, CacheSide::value);
    });
    Json bits = Json::array(), errors = Json::array();
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      double sum = 0, n_units = 0, error = 0;
      for (const Plan& plan : plans[index_of(side)]) {
        for (const std::uint8_t b : plan.n_bits) sum += b;
        n_units += static_cast<double>(plan.n_bits.size());
      }
      for (std::size_t layer = 0; layer < exact(side).size(); ++layer) {
        error += squared_distance(out(side)[layer].span(), exact(side)[layer].span());
      }
      bits.push_back(sum / n_units);
      errors.push_back(error / static_cast<double>(shape_.n_values()));
    }
    return {{"seconds", seconds}, {"bits", bits}, {"errors", errors}};
  }

  // Quantizing and its errors alone: what a replay does for each setting once it knows the
  // statistics.
  Json quantize_measured(const std::string& level) {
    const QaqPolicy policy(params_of_kind("uniform", level));
    NdArray<double, 3> errors({shape_.n_layers, shape_.n_kv_heads, shape_.n_tokens});
    double seconds = 0;
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      const std::vector<Plan> plans = quantize_cache(policy, side);
      const std::int64_t together = shape_.n_layers / std::ssize(plans);
      const std::size_t n_units = stats_.size() / plans.size();
      seconds += seconds_of([&] {
        parallel_for(shape_.n_layers, [&](std::int64_t layer) {
          const auto at = static_cast<std::size_t>(layer);
          const auto plan = static_cast<std::size_t>(layer / together);
          quantize_layer(plans[plan], std::span(stats_).subspan(plan * n_units, n_units),
                         layer % together, exact(side)[at].view(),
                         {out(side)[at].view(), {}, errors.sub(layer)});
        });
      });
    }
    // Read once and written once.
    return {{"seconds", seconds}, {"bytes", 2 * 2 * 4 * shape_.n_values()}};
  }

  Json attention() {
    const std::int64_t n_layers = std::min(shape_.n_layers, kAttentionLayers);
    const QaqPolicy policy(params_of_kind("uniform", "head"));
    std::vector<std::int32_t> positions(static_cast<std::size_t>(shape_.n_tokens));
    std::iota(positions.begin(), positions.end(), 0);
    const Cache &value = exact(CacheSide::value), &new_key = out(CacheSide::key),
                &new_value = out(CacheSide::value);
    quantize_cache(policy, CacheSide::key);
    quantize_cache(policy, CacheSide::value);
    double error = 0, operations = 0;
    const double seconds = seconds_of([&] {
      error = operations = 0;
      for (std::size_t l = 0; l < static_cast<std::size_t>(n_layers); ++l) {
        const LayerCaches caches{query_[l]->view(), std::as_const(new_key[l]).view(),
                                 value[l].view(), std::as_const(new_value[l]).view(),
                                 shape_.n_tokens};
        const RowErrors errors = row_errors(caches, scores_[l]->view(), positions);
        for (const double e : errors.output.span()) error += e;
        // q k, S' V' and S V of the keys that a row sees.
        const auto n = static_cast<double>(shape_.n_tokens);
        operations +=
            3 * 2 * static_cast<double>(scores_[l]->shape(0) * shape_.head_dim) * n * (n + 1) / 2;
      }
    });
    return {{"seconds", seconds}, {"operations", operations}, {"output_error", error}};
  }

  static Json sgemm() {
    constexpr std::int64_t kSize = 768, kRepeats = 4;
    const auto n = static_cast<std::int64_t>(thread_count());
    std::vector<NdArray<float, 2>> a, c;
    for (std::int64_t i = 0; i < n; ++i) {
      a.emplace_back(Shape<2>{kSize, kSize}, 0.5f);
      c.emplace_back(Shape<2>{kSize, kSize});
    }
    const double seconds = seconds_of([&] {
      parallel_for(n, [&](std::int64_t i) {
        const auto at = static_cast<std::size_t>(i);
        for (std::int64_t repeat = 0; repeat < kRepeats; ++repeat) {
          matmul_nn(std::as_const(a[at]).view(), std::as_const(a[at]).view(), c[at].view());
        }
      });
    });
    const auto size = static_cast<double>(kSize);
    return {{"seconds", seconds},
            {"operations", 2 * size * size * size * static_cast<double>(n * kRepeats)},
            {"blas", blas_name()}};
  }

  static Json limits() {
    return {{"fma_peak", fma_peak()}, {"read_rate", read_rate()}, {"copy_rate", copy_rate()}};
  }

 private:
  static std::size_t index_of(CacheSide side) { return side == CacheSide::key ? 0 : 1; }
  const Cache& exact(CacheSide side) const { return exact_[index_of(side)]; }
  Cache& out(CacheSide side) { return out_[index_of(side)]; }

  // One plan a group of layers that units span: all at level token, else each layer, which is a
  // cache of its own while it lies in a processor's caches.
  std::vector<Plan> quantize_cache(const QaqPolicy& policy, CacheSide side) {
    const QuantizerSpec spec = policy.needs(side).quantizer;
    const std::int64_t together = spec.level == Level::token ? shape_.n_layers : 1;
    CacheShape group = shape_;
    group.n_layers = together;
    const UnitLayout layout(spec.level, group);
    const std::int64_t n_units = layout.n_units();
    std::vector<CacheLayer> layers;
    for (const auto& layer : exact(side)) layers.push_back(layer.view());
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
                       {out(side)[at(i * together + layer)].view(), {}});
      });
    });
    return plans;
  }

  static constexpr std::int64_t kAttentionLayers = 4;

  CacheShape shape_;
  std::array<Cache, 2> exact_, out_;                   // of keys, of values
  std::vector<SharedArray<float, 3>> query_, scores_;  // of the first layers
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
      json.update(command == "quantize"            ? program.quantize(kind, level)
                  : command == "quantize_measured" ? program.quantize_measured(kind)
                  : command == "attention"         ? program.attention()
                  : command == "sgemm"             ? Program::sgemm()
                  : command == "limits"            ? Program::limits()
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
