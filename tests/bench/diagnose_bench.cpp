// What a diagnosis of a prompt costs, in full forward passes of that prompt.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <vector>

#include "core/analysis/diagnosis.h"
#include "core/base/stopwatch.h"
#include "core/engine/backend.h"
#include "core/evaluate/divergence.h"
#include "data/files/whole_file.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq {
namespace {

constexpr std::int64_t kPrompt = 256, kGenerated = 32;
constexpr int kPasses = 5;

double median_pass(const std::shared_ptr<const ModelFile>& model,
                   const std::vector<std::int32_t>& prompt) {
  const auto engine = make_cpu_backend()->open(model, {kPrompt, kPrompt});
  std::vector<double> seconds;
  for (int i = 0; i < kPasses; ++i) {
    engine->keep(0);
    const Stopwatch watch;
    engine->run(prompt);
    seconds.push_back(watch.seconds());
  }
  std::ranges::sort(seconds);
  return seconds[kPasses / 2];
}

void measure(const std::shared_ptr<const ModelFile>& model, const std::vector<std::int32_t>& prompt,
             int n_bits_max) {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->n_bits_max = n_bits_max;
    side->n_bits_min = std::min(side->n_bits_min, n_bits_max);
  }
  const double pass = median_pass(model, prompt);
  const Stopwatch all;
  std::vector<std::int32_t> ids = prompt;
  {
    const auto open = [&] {
      return make_cpu_backend()->open(model, {kPrompt + kGenerated, kPrompt});
    };
    PrefixRun run(open, {params});
    const auto result = generate_divergence(run, {prompt, kPrompt, kGenerated, {}}, {});
    ids.insert(ids.end(), result.reference.begin(), result.reference.end());
  }
  const double generating = all.seconds();
  MixedRun run(
      [&] {
        return make_cpu_backend()->open(model, {std::ssize(ids), kPrompt});
      },
      {ids, kPrompt}, DType::f32, {});
  const Diagnosis diagnosis = diagnose(run, {.params = params}, {});
  const double total = all.seconds();
  std::printf(
      "n_bits_max %d: KL %.3g at step %lld, %s; %lld replays; a pass of %lld tokens %.0f ms; "
      "generating %.1f passes, all of it %.1f passes\n",
      n_bits_max, diagnosis.explained().score.score.kl, static_cast<long long>(diagnosis.step),
      diagnosis.causes.empty() ? "no cause" : diagnosis.causes.front().title.c_str(),
      static_cast<long long>(diagnosis.n_replays), static_cast<long long>(kPrompt), 1e3 * pass,
      generating / pass, total / pass);
}

int run(const char* model_path, const char* text_path) {
  const auto model = open_model(model_path);
  const auto tokenizer = make_tokenizer(*model);
  auto ids = tokenizer->encode(read_whole(text_path, "cannot be read", "name a text"));
  if (std::ssize(ids) < kPrompt) {
    std::fprintf(stderr, "%s has %zu tokens, fewer than %lld\n", text_path, ids.size(),
                 static_cast<long long>(kPrompt));
    return 1;
  }
  ids.resize(kPrompt);
  for (const int n_bits_max : {1, 2, 3}) measure(model, ids, n_bits_max);
  return 0;
}

}  // namespace
}  // namespace qaq

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "bench_diagnose MODEL.gguf TEXT: a text of 256 tokens or more\n");
    return 2;
  }
  try {
    return qaq::run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_diagnose: %s\n", error.what());
    return 1;
  }
}
