// How fast the engine is, against what bounds it, side by side in one run:
//   bench_engine MODEL.gguf [T] [N]
// prefills T tokens and decodes N, alone and with every tap written to a capture, and times the
// matrix products of a prefill on their own (the operations that must run) and a copy of the
// weights (the bytes that a decoded token must move). Prints medians and ratios; asserts nothing.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/parallel.h"
#include "core/engine/backend.h"
#include "core/tensor/matmul.h"
#include "data/capture/capture_writer.h"
#include "data/models/model_file.h"

namespace {

using namespace qaq;

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Times {
  double prefill = 0;
  double decode = 0;
};

// One run of T + N tokens; `path` empty: no capture.
Times run(const std::shared_ptr<const ModelFile>& model, const std::vector<std::int32_t>& prompt,
          std::int64_t n_decode, const std::string& path) {
  const auto n_prompt = static_cast<std::int64_t>(prompt.size());
  const auto engine = make_cpu_backend()->open(model, {n_prompt + n_decode, n_prompt});
  std::unique_ptr<CaptureWriter> writer;
  if (!path.empty()) {
    CapturePlan plan;
    plan.info.shape = model->spec().shape;
    plan.info.model_name = model->spec().name;
    for (std::int32_t l = 0; l < plan.info.shape.n_layers; ++l) plan.info.layers.push_back(l);
    plan.info.n_prompt = n_prompt;
    plan.max_tokens = n_prompt + n_decode;
    writer = CaptureWriter::create(path, plan);
  }
  Times times;
  std::vector<std::int32_t> ids = prompt;
  times.prefill = seconds_of([&] { engine->run(prompt, writer.get()); });
  times.decode = seconds_of([&] {
    for (std::int64_t i = 0; i < n_decode; ++i) {
      ids.push_back(engine->greedy_token());
      engine->run({&ids.back(), 1}, writer.get());
    }
  });
  if (writer) {
    const std::vector<std::string> text(ids.size(), "x");
    times.decode += seconds_of([&] { writer->finish({ids, text, text}, "{}"); });
  }
  return times;
}

// The products of one prefill, without anything between them.
double product_seconds(const ModelShape& s, std::int64_t n_tokens) {
  const std::int64_t q = s.n_heads * s.head_dim, kv = s.n_kv_heads * s.head_dim;
  const std::vector<std::pair<std::int64_t, std::int64_t>> weights{
      {q, s.hidden_size},
      {kv, s.hidden_size},
      {kv, s.hidden_size},
      {s.hidden_size, q},
      {s.intermediate_size, s.hidden_size},
      {s.intermediate_size, s.hidden_size},
      {s.hidden_size, s.intermediate_size}};
  std::vector<std::function<void()>> products;
  for (const auto& [n, k] : weights) {
    auto w = std::make_shared<NdArray<float, 2>>(Shape<2>{n, k}, 0.01f);
    auto x = std::make_shared<NdArray<float, 2>>(Shape<2>{n_tokens, k}, 0.01f);
    auto y = std::make_shared<NdArray<float, 2>>(Shape<2>{n_tokens, n});
    products.push_back([=] { matmul_nt(x->view(), w->view(), y->view()); });
  }
  return seconds_of([&] {
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      for (const auto& product : products) product();
    }
  });
}

// Reading every weight once, on all threads.
double weight_read_seconds(const ModelSpec& spec) {
  const std::int64_t n = 134515008;
  (void)spec;
  const NdArray<float, 1> weights({n}, 1.0f);
  constexpr std::int64_t kPieces = 64;
  std::vector<float> sums(kPieces);
  return seconds_of([&] {
    parallel_for(kPieces, [&](std::int64_t piece) {
      float sum[16] = {};
      const std::int64_t first = n * piece / kPieces, last = n * (piece + 1) / kPieces;
      for (std::int64_t i = first; i + 16 <= last; i += 16) {
        for (int k = 0; k < 16; ++k) sum[k] += weights(i + k);
      }
      for (const float s : sum) sums[static_cast<std::size_t>(piece)] += s;
    });
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_engine MODEL.gguf [T] [N]\n");
    return 2;
  }
  const std::int64_t n_prompt = argc > 2 ? std::atoll(argv[2]) : 512;
  const std::int64_t n_decode = argc > 3 ? std::atoll(argv[3]) : 32;
  const auto model = open_model(argv[1]);
  const ModelSpec& spec = model->spec();
  std::vector<std::int32_t> prompt;
  for (std::int64_t i = 0; i < n_prompt; ++i) {
    prompt.push_back(static_cast<std::int32_t>((i * 7919 + 504) % spec.shape.vocab_size));
  }
  const auto path = std::filesystem::temp_directory_path() / "qaq_bench_engine.h5";

  std::vector<double> alone, captured, products, decode_alone, decode_captured, reads;
  for (int round = 0; round < 3; ++round) {
    const Times plain = run(model, prompt, n_decode, "");
    const Times tapped = run(model, prompt, n_decode, path.string());
    alone.push_back(plain.prefill);
    decode_alone.push_back(plain.decode);
    captured.push_back(tapped.prefill);
    decode_captured.push_back(tapped.decode);
    products.push_back(product_seconds(spec.shape, n_prompt));
    reads.push_back(weight_read_seconds(spec));
  }
  const auto bytes = std::filesystem::file_size(path);
  std::filesystem::remove(path);

  const auto tokens_per_second = [](std::int64_t n, double s) {
    return static_cast<double>(n) / s;
  };
  const double prefill = median_of(alone), floor = median_of(products);
  std::printf("%s, T = %lld, %d threads\n", spec.name.c_str(), static_cast<long long>(n_prompt),
              thread_count());
  std::printf("prefill           %8.1f tokens/s   %.2f x its products alone (%.3f s)\n",
              tokens_per_second(n_prompt, prefill), prefill / floor, floor);
  std::printf("prefill, captured %8.1f tokens/s   %.2f x without capture, %.0f MB\n",
              tokens_per_second(n_prompt, median_of(captured)), median_of(captured) / prefill,
              static_cast<double>(bytes) / 1e6);
  const double step = median_of(decode_alone) / static_cast<double>(n_decode);
  std::printf("decode            %8.1f tokens/s   %.2f x reading the weights once (%.4f s)\n",
              1 / step, step / median_of(reads), median_of(reads));
  std::printf("decode, captured  %8.1f tokens/s   %.2f x without capture\n",
              tokens_per_second(n_decode, median_of(decode_captured)),
              median_of(decode_captured) / median_of(decode_alone));
  return 0;
}
