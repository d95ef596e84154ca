// SmolLM2 really failing at low bits on real prompts, and a fault planted in it.
#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "core/analysis/diagnosis.h"
#include "core/analysis/diagnosis_limits.h"
#include "core/analysis/diagnosis_report.h"
#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/support/model_fixture.h"

namespace qaq {
namespace {

constexpr const char* kKeeper =
    "The old lighthouse stood at the end of a narrow spit of land, and for forty years the keeper "
    "had written down every ship that passed. On the first page of his first book he had written "
    "the rules: the name of the ship, the hour, the weather, the colour of the hull, and whether "
    "anybody had waved. The Margaret, at six in the morning, fog, black hull, nobody. The Saint "
    "Olaf, at noon, clear, red hull, a boy on the stern who waved twice. The Heron, at dusk, rain, "
    "white hull, nobody. The keeper looked at the page, and he read aloud: The Margaret, at";
constexpr const char* kList =
    "Name: Ada, city: London, born: 1815\nName: Alan, city: London, born: 1912\nName: Grace, city: "
    "New York, born: 1906\nName: Emmy, city: Erlangen, born: 1882\nName: Kurt, city: Brno, born: "
    "1906\nThe person from Erlangen is called";

// A prompt and what the model says behind it.
struct RealRun {
  RealRun(const std::string& path, const std::string& prompt, std::int64_t n_generate)
      : model(open_model(path)) {
    const auto tokenizer = make_tokenizer(*model);
    ids = tokenizer->encode(prompt);
    n_prompt = std::ssize(ids);
    const auto engine = make_cpu_backend()->open(model, {n_prompt + n_generate, n_prompt});
    engine->run(ids);
    while (std::ssize(ids) < n_prompt + n_generate) {
      ids.push_back(engine->greedy_token());
      engine->run({&ids.back(), 1});
    }
    mixed = std::make_unique<MixedRun>(
        [&] {
          return make_cpu_backend()->open(model, {std::ssize(ids), n_prompt});
        },
        PrefixedText{ids, n_prompt}, DType::f32, Work{});
    subject = {
        "SmolLM2", prompt, [tokenizer](std::int32_t id) { return tokenizer->piece(id); }, {}};
  }
  Diagnosis diagnose(const DiagnosisOptions& options) const {
    Diagnosis out = qaq::diagnose(*mixed, options, {});
    for (const std::string& line : diagnosis_lines(out, subject)) std::printf("%s\n", line.c_str());
    return out;
  }

  std::shared_ptr<const ModelFile> model;
  std::vector<std::int32_t> ids;
  std::int64_t n_prompt = 0;
  std::unique_ptr<MixedRun> mixed;
  DiagnosisSubject subject;
};

QaqParams at_most(int n_bits) {
  QaqParams out;
  out.key.n_bits_max = out.value.n_bits_max = n_bits;
  return out;
}

TEST(DiagnosisOfSmolLM2, Explore) {
  QAQ_SMOLLM2_OR_SKIP(path);
  for (const char* prompt : {kKeeper, kList}) {
    for (const int n_bits : {1, 2, 3, 4}) {
      const RealRun run(path, prompt, 16);
      std::printf("== %d bits\n", n_bits);
      const Diagnosis d = run.diagnose({.params = at_most(n_bits)});
      for (const DiagnosisReplay& replay : d.replays) {
        std::printf("    %s: %s, KL %.4g%s\n", replay.stage.c_str(), replay.label.c_str(),
                    replay.kl, replay.repaired ? " repaired" : "");
      }
    }
  }
}

}  // namespace
}  // namespace qaq
