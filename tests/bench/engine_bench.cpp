// Our engine as one of the programs of tests/bench/engine, which takes turns between them:
//   bench_engine MODEL [CONTEXT] [OUTPUT.h5] [THREADS]
// speaks the protocol of tests/bench/rivals/README.md. Beside `prefill T` and `decode DEPTH N`:
//   prefill_logits T  prefill with logits of every token, which go nowhere
//   taps T            prefill with queries, keys, values and attention in a capture; logits of the
//                     last token alone
//   capture T         the same with logits of every token summarized: what `qaq capture` does
//   writing T         a capture of such taps without a model: the writer alone
//   products T        the linear layers of a prefill alone, nothing between them
//   limits            what the machine can do: FMA peak and reading memory
//   write BYTES       plain write() of so many bytes to a new file, where captures go

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/version.h"
#include "core/engine/backend.h"
#include "core/engine/forward.h"
#include "core/tensor/linear.h"
#include "core/tensor/vector_math.h"
#include "data/capture/capture_writer.h"
#include "data/models/model_file.h"
#include "tests/bench/machine_limits.h"

namespace qaq::bench {
namespace {

using Json = nlohmann::ordered_json;

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Takes what it is told to, and passes it on where there is somebody.
class PartSink : public TapSink {
 public:
  PartSink(TapSink* inner, bool taps, bool logits) : inner_(inner), taps_(taps), logits_(logits) {}
  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override {
    if (what == TapKind::logits ? !logits_ : !taps_) return false;
    return !inner_ || inner_->wants(what, layer, first_row, n_rows);
  }
  void put(const TapBlock& block) override {
    if (inner_) inner_->put(block);
  }
  /// A writer wants logits of every token: those that were not made count as zeros.
  void put_missing_logits(const ModelShape& shape, std::int64_t n_tokens) {
    const std::vector<float> zeros(static_cast<std::size_t>(n_tokens));
    inner_->put({.what = TapKind::logits,
                 .layer = shape.n_layers,
                 .n_heads = 1,
                 .n_rows = n_tokens,
                 .n_cols = 1,
                 .bytes = std::as_bytes(std::span(zeros))});
  }

 private:
  TapSink* inner_;
  bool taps_, logits_;
};

class Program {
 public:
  Program(const std::string& path, std::int64_t context, std::string output)
      : model_(open_model(path)), context_(context), output_(std::move(output)) {
    load_seconds_ = seconds_of([&] {
      engine_ = make_cpu_backend()->open(model_, {context_, context_});
    });
    for (std::int64_t i = 0; i < context_; ++i) {
      ids_.push_back(static_cast<std::int32_t>((i * 7919 + 504) % shape().vocab_size));
    }
  }

  Json hello() const {
    return {{"ready", true},
            {"program", "qaq"},
            {"version", program_version()},
            {"model", model_->file()},
            {"weights", model_->spec().weights_dtype},
            {"threads", thread_count()},
            {"simd", simd_target_name()},
            {"load_seconds", load_seconds_}};
  }

  Json prefill(std::int64_t n, TapSink* sink = nullptr) {
    engine_->keep(0);
    return {{"tokens", n}, {"seconds", seconds_of([&] { run(n, sink); })}};
  }

  Json prefill_logits(std::int64_t n) {
    PartSink sink(nullptr, false, true);
    return prefill(n, &sink);
  }

  Json decode(std::int64_t depth, std::int64_t n) {
    engine_->keep(depth);
    run(depth - engine_->n_tokens(), nullptr);
    const double seconds = seconds_of([&] {
      for (std::int64_t i = 0; i < n; ++i) run(1, nullptr);
    });
    return {{"depth", depth}, {"tokens", n}, {"seconds", seconds}};
  }

  Json capture(std::int64_t n, bool logits) {
    engine_->keep(0);
    return to_file(n, logits, [&](TapSink& sink) { run(n, &sink); });
  }

  Json writing(std::int64_t n) {
    const ModelShape& s = shape();
    const auto fill = [](std::int64_t count) {
      auto numbers = std::make_shared<std::vector<float>>(static_cast<std::size_t>(count), 0.01f);
      return std::shared_ptr<const std::vector<float>>(std::move(numbers));
    };
    const auto query = fill(s.n_heads * n * s.head_dim), key = fill(s.n_kv_heads * n * s.head_dim),
               scores = fill(s.n_heads * n * n);
    return to_file(n, false, [&](TapSink& sink) {
      for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
        const auto put = [&](TapKind what, std::int64_t n_heads, const auto& numbers) {
          sink.put({.what = what,
                    .layer = layer,
                    .n_heads = n_heads,
                    .n_rows = n,
                    .n_cols = std::ssize(*numbers) / (n_heads * n),
                    .bytes = std::as_bytes(std::span(*numbers)),
                    .owner = numbers});
        };
        put(TapKind::query, s.n_heads, query);
        put(TapKind::key, s.n_kv_heads, key);
        put(TapKind::value, s.n_kv_heads, key);
        put(TapKind::attention, s.n_heads, scores);
      }
    });
  }

  Json products(std::int64_t n) {
    const std::int64_t rows = std::min(n, kChunkRows);
    std::map<std::int64_t, NdArray<float, 2>> inputs, outputs;
    double operations = 0;
    const double seconds = seconds_of([&] {
      for (std::int64_t layer = 0; layer < shape().n_layers; ++layer) {
        for (const WeightRole role :
             {WeightRole::query, WeightRole::key, WeightRole::value, WeightRole::attention_output,
              WeightRole::gate, WeightRole::up, WeightRole::down}) {
          const WeightView w = model_->weight(role, layer);
          auto& x = inputs.try_emplace(w.cols, Shape<2>{rows, w.cols}, 0.01f).first->second;
          auto& y = outputs.try_emplace(w.rows, Shape<2>{rows, w.rows}).first->second;
          for (std::int64_t first = 0; first < n; first += rows) {
            const LinearOutput output{w, nullptr, y.view()};
            linear(x.view(), {&output, 1});
            operations += 2.0 * static_cast<double>(rows * w.rows * w.cols);
          }
        }
      }
    });
    return {{"tokens", n}, {"seconds", seconds}, {"operations", operations}};
  }

  static Json limits() { return {{"fma_peak", fma_peak()}, {"read_rate", read_rate()}}; }
  Json write(std::int64_t n_bytes) const {
    return {{"bytes", n_bytes}, {"seconds", write_seconds(output_ + ".plain", n_bytes)}};
  }

 private:
  /// A capture of what `run_model` puts into the sink, from creating the file to closing it.
  Json to_file(std::int64_t n, bool logits, const std::function<void(TapSink&)>& run_model) {
    std::filesystem::remove(output_);
    CapturePlan plan;
    plan.info.shape = shape();
    plan.info.model_name = model_->spec().name;
    for (std::int32_t l = 0; l < shape().n_layers; ++l) plan.info.layers.push_back(l);
    plan.info.n_prompt = plan.max_tokens = n;
    if (!logits) {
      plan.info.shape.vocab_size = 1;
      plan.top_k = 1;
    }
    double run_seconds = 0;
    const double seconds = seconds_of([&] {
      const auto writer = CaptureWriter::create(output_, plan);
      PartSink sink(writer.get(), true, logits);
      run_seconds = seconds_of([&] { run_model(sink); });
      if (!logits) sink.put_missing_logits(plan.info.shape, n);
      const std::vector<std::string> text(static_cast<std::size_t>(n), "x");
      writer->finish({{ids_.begin(), ids_.begin() + n}, text, text}, "{}");
    });
    const auto bytes = std::filesystem::file_size(output_);
    std::filesystem::remove(output_);
    return {{"tokens", n}, {"seconds", seconds}, {"run_seconds", run_seconds}, {"bytes", bytes}};
  }

  const ModelShape& shape() const { return model_->spec().shape; }
  void run(std::int64_t n, TapSink* sink) {
    const std::int64_t first = engine_->n_tokens();
    engine_->run(
        std::span(ids_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n)),
        sink);
  }

  std::shared_ptr<const ModelFile> model_;
  std::int64_t context_;
  std::string output_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::int32_t> ids_;
  double load_seconds_ = 0;
};

Json answer(Program& program, const std::string& line) {
  std::istringstream words(line);
  std::string command;
  std::int64_t first = 0, second = 0;
  words >> command >> first >> second;
  if (command == "prefill") return program.prefill(first);
  if (command == "prefill_logits") return program.prefill_logits(first);
  if (command == "decode") return program.decode(first, second);
  if (command == "taps") return program.capture(first, false);
  if (command == "capture") return program.capture(first, true);
  if (command == "writing") return program.writing(first);
  if (command == "products") return program.products(first);
  if (command == "limits") return Program::limits();
  if (command == "write") return program.write(first);
  return {{"error", "no such command"}};
}

}  // namespace
}  // namespace qaq::bench

int main(int argc, char** argv) {
  using namespace qaq::bench;
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_engine MODEL [CONTEXT] [OUTPUT.h5] [THREADS]\n");
    return 2;
  }
  try {
    if (argc > 4) qaq::set_thread_count(std::atoi(argv[4]));
    Program program(argv[1], argc > 2 ? std::atoll(argv[2]) : 4352,
                    argc > 3 ? argv[3] : "bench_engine.h5");
    const auto print = [](const Json& json) { std::cout << json.dump() << std::endl; };
    print(program.hello());
    for (std::string line; std::getline(std::cin, line) && line != "quit";) {
      Json json{{"command", line}};
      json.update(answer(program, line));
      print(json);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_engine: %s\n", error.what());
    return 1;
  }
  return 0;
}
