// One fault planted at a random place of each of many texts of a real model: whether a diagnosis
// names its layer, head and token, within how many replays, and whether the counterfactual brings
// the top token back.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "data/files/whole_file.h"
#include "tests/core/analysis/planted_faults.h"

namespace qaq::test {
namespace {

constexpr std::int64_t kGenerated = 8, kRow = 2;
constexpr std::int64_t kShortest = 32, kLongest = 160;  // tokens of a text
constexpr std::int64_t kMostReplays = 40;
constexpr double kNamedShare = 0.95;

struct Kind {
  const char* name;
  const char* cause;  ///< that must come first
  CacheSide side;
  bool is_cell;  ///< the fault is in one token
  std::function<DiagnosisOptions(const RealRun&, const PlantedPlace&)> plant;

  int n = 0, named = 0, within = 0, restored = 0, unfelt = 0;
};

std::array<Kind, 3> kinds() {
  return {
      Kind{.name = "a head's keys cut to 1 bit",
           .cause = "bits_clamped",
           .side = CacheSide::key,
           .is_cell = false,
           .plant = [](const RealRun& run, const PlantedPlace& at) { return head_cut(run, at); }},
      Kind{.name = "an outlier of a key withheld",
           .cause = "outlier_missed",
           .side = CacheSide::key,
           .is_cell = true,
           .plant = [](const RealRun&,
                       const PlantedPlace& at) { return withheld_outlier(kRow, at); }},
      Kind{.name = "a jump of a value hidden",
           .cause = "importance_jumped",
           .side = CacheSide::value,
           .is_cell = true,
           .plant = [](const RealRun&, const PlantedPlace& at) { return hidden_jump(kRow, at); }}};
}

// Some tokens of the text, from somewhere.
std::vector<std::int32_t> cut(const std::vector<std::int32_t>& ids, std::mt19937& random) {
  const auto n = kShortest + static_cast<std::ptrdiff_t>(random() % (kLongest - kShortest + 1));
  const auto first = static_cast<std::ptrdiff_t>(random() % (ids.size() - n + 1));
  return {ids.begin() + first, ids.begin() + first + n};
}

bool names(const Diagnosis& d, const Kind& kind, const PlantedPlace& at) {
  if (d.outcome != DiagnosisOutcome::explained || d.cells.empty()) return false;
  const CellAddress& cell = d.cells.front().cell;
  return d.causes.front().name == kind.cause && cell.side == kind.side && cell.layer == at.layer &&
         cell.kv_head == at.head && (!kind.is_cell || cell.token == at.token);
}

// The diagnosis of a fault that is felt, or nothing where this place's is not.
std::optional<Diagnosis> diagnosed(const RealRun& run, const Kind& kind, const PlantedPlace& at) {
  Diagnosis out = diagnose(*run.mixed, kind.plant(run, at), {});
  if (out.outcome == DiagnosisOutcome::nothing_broke) return {};
  return out;
}

// False where nothing is felt of many places.
bool plant_one(Kind& kind, const std::shared_ptr<const ModelFile>& model,
               std::vector<std::int32_t> text, std::mt19937& random) {
  constexpr int kMostPlaces = 40;
  const RealRun run(model, std::move(text), kGenerated);
  for (int i = 0; i < kMostPlaces; ++i) {
    const PlantedPlace at = read_place(run, kRow, random);
    const auto d = diagnosed(run, kind, at);
    if (!d) {
      ++kind.unfelt;
      continue;
    }
    ++kind.n;
    const bool named = names(*d, kind, at);
    kind.named += named ? 1 : 0;
    kind.within += d->n_replays <= kMostReplays ? 1 : 0;
    kind.restored += !d->causes.empty() && d->causes.front().top_restored ? 1 : 0;
    if (named) return true;
    std::printf("not named: %s, layer %lld, KV head %lld, token %lld of %lld:\n", kind.name,
                static_cast<long long>(at.layer), static_cast<long long>(at.head),
                static_cast<long long>(at.token), static_cast<long long>(run.n_prompt));
    for (const std::string& line : diagnosis_lines(*d, run.subject)) {
      std::printf("  %s\n", line.c_str());
    }
    return true;
  }
  return false;
}

int run(const char* model_path, const char* text_path, int count, std::uint32_t seed) {
  const std::shared_ptr<const ModelFile> model = open_model(model_path);
  const auto ids =
      make_tokenizer(*model)->encode(read_whole(text_path, "cannot be read", "name a text"));
  if (std::ssize(ids) < kLongest) {
    std::fprintf(stderr, "%s has %zu tokens, fewer than %lld\n", text_path, ids.size(),
                 static_cast<long long>(kLongest));
    return 2;
  }
  std::mt19937 random(seed);
  auto all = kinds();
  for (int i = 0; i < count; ++i) {
    Kind& kind = all[static_cast<std::size_t>(i) % all.size()];
    while (!plant_one(kind, model, cut(ids, random), random)) {
    }
  }
  int n = 0, named = 0, within = 0;
  std::printf("seed %u\n%-32s %8s %8s %12s %10s %8s\n", seed, "fault", "planted", "named",
              "<= 40 replays", "restored", "unfelt");
  for (const Kind& kind : all) {
    std::printf("%-32s %8d %8d %12d %10d %8d\n", kind.name, kind.n, kind.named, kind.within,
                kind.restored, kind.unfelt);
    n += kind.n;
    named += kind.named;
    within += kind.within;
  }
  const bool passed = n > 0 && named >= kNamedShare * n && within == n;
  std::printf("%d of %d named: %s\n", named, n, passed ? "PASS" : "FAIL");
  return passed ? 0 : 1;
}

}  // namespace
}  // namespace qaq::test

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) {
    std::fprintf(stderr, "soak_diagnose MODEL.gguf TEXT [COUNT [SEED]]: 100 faults with seed 1\n");
    return 2;
  }
  try {
    return qaq::test::run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 100,
                          argc > 4 ? static_cast<std::uint32_t>(std::atoi(argv[4])) : 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "soak_diagnose: %s\n", error.what());
    return 1;
  }
}
