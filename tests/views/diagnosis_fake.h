#pragma once

#include <atomic>
#include <thread>

#include "core/base/error.h"
#include "core/base/text.h"
#include "tests/views/views_fixture.h"
#include "views/models/diagnosis_service.h"

namespace qaq::views::test {

/// Of the planted capture behind 30 tokens: steps 2 and 6 diverged, 4 is a coin-flip; value cells
/// of layer 1 are to blame, one of layer 2, which was not captured.
inline Diagnosis plantedDiagnosis() {
  Diagnosis out;
  out.outcome = DiagnosisOutcome::explained;
  out.n_prefix = 30;
  for (int i = 0; i < 10; ++i) {
    DiagnosedStep step{.position = 30 + i, .token = 30 + i, .score = {}};
    step.score.expected = step.score.got = 100 + i;
    step.score.score.kl = 0.01 * (i + 1);
    step.score.score.margin = 0.5;
    step.score.p_before = 0.3;
    step.score.p_after = 0.2;
    if (i == 2 || i == 4 || i == 6) {
      step.score.got = 200 + i;
      step.score.rank = 3;
      step.score.score.kl = 0.4 + 0.1 * i;
      step.verdict = i == 4 ? StepVerdict::coin_flip : StepVerdict::diverged;
    }
    step.score.score.same_top = step.score.got == step.score.expected;
    out.steps.push_back(step);
  }
  out.step = 2;
  out.why_step = "the first that diverged";
  out.side = CacheSide::value;
  out.layers = {1, 2};
  for (const auto& [layer, token] : {std::pair{1, 7}, std::pair{1, 8}, std::pair{2, 7}}) {
    out.cells.push_back({.cell = {CacheSide::value, layer, 1, token}, .score = 1});
  }
  out.n_cells = 480;
  for (auto& side : out.head_scores) {
    side = NdArray<float, 2>({4, 2});
    side(1, 1) = 2;
  }
  const double before = out.explained().score.score.kl;
  const auto replay = [&](const char* stage, const char* label, std::int64_t n, double kl,
                          bool repaired) {
    out.replays.push_back({.stage = stage,
                           .label = label,
                           .n_other = n,
                           .kl = kl,
                           .got = repaired ? 102 : 202,
                           .top_restored = repaired,
                           .repaired = repaired});
  };
  replay("check", "nothing quantized", 480, 0, true);
  replay("side", "keys exact", 240, 1.2 * before, false);
  replay("side", "values exact", 240, 0.05, true);
  replay("layers", "layers 1, 2 exact", 120, 0.1, true);
  replay("cells", "3 cells exact", 3, 0.12, true);
  replay("cells", "2 cells exact", 2, 0.5, false);
  replay("why", "bits clamped too low: more bits", 3, 0.07, true);
  replay("why", "sink token: left exact", 1, 0.5, false);
  const auto cause = [&](const char* title, CauseVerdict verdict, std::int64_t n, double after) {
    out.causes.push_back({.name = title,
                          .title = title,
                          .counterfactual = "more bits",
                          .evidence = "3 of 3 suspect cells",
                          .verdict = verdict,
                          .n_cells = n,
                          .kl_before = before,
                          .kl_after = after,
                          .top_restored = verdict == CauseVerdict::confirmed});
  };
  cause("bits clamped too low", CauseVerdict::confirmed, 3, 0.07);
  cause("sink token", CauseVerdict::hypothesis, 1, 0.5);
  cause("query norm above the bound", CauseVerdict::ruled_out, 0, before);
  out.n_replays = 8;
  return out;
}

inline SharedDiagnosis diagnosisOf(const DiagnosisRequest& request, Diagnosis diagnosis) {
  auto out = std::make_shared<DiagnosisResult>();
  out->request = request;
  out->diagnosis = std::move(diagnosis);
  out->diagnosis.params = request.params.qaq;
  out->subject = {.model = "fake",
                  .prompt = "w0 w1",
                  .token_text = [](std::int32_t id) { return cat(" w", id); },
                  .commands = {"qaq diagnose"}};
  return out;
}

/// A slice of the planted capture with its diagnosis.
inline SharedSlice diagnosedSlice(const SharedSlice& slice) {
  auto out = std::make_shared<SliceMaps>(*slice);
  out->diagnosis = diagnosisOf({.form = {},
                                .capture = slice->analysis->capture,
                                .path = {},
                                .params = slice->analysis->params},
                               plantedDiagnosis());
  return out;
}

/// A service that answers at once, or stands still until it is let go or cancelled.
struct FakeDiagnosis {
  std::atomic<bool> stands = false, waits = false;
  std::string refusal{};
  std::function<void(Diagnosis&)> edit{};
  DiagnosisRequest asked{};
  QString written{};
  std::vector<PagePicture> pictures{};

  DiagnosisMaker maker() {
    return {.make =
                [this](const DiagnosisRequest& request, const Work& work) {
                  asked = request;
                  work.report({"diagnose", 1, 40, "replays"});
                  while (waits) {
                    stands = true;
                    work.throw_if_stopped();
                    std::this_thread::yield();
                  }
                  if (!refusal.empty()) throw Error(ErrorKind::input, {.what = refusal});
                  Diagnosis answer = plantedDiagnosis();
                  if (edit) edit(answer);
                  return diagnosisOf(request, std::move(answer));
                },
            .write =
                [this](const QString& path, const DiagnosisResult&, std::vector<PagePicture> all,
                       const Work&) {
                  written = path;
                  pictures = std::move(all);
                },
            .modelOf = [](const CaptureInfo& info,
                          const QString&) { return QString::fromStdString(info.model_name); },
            .models = {}};
  }
};

}  // namespace qaq::views::test
