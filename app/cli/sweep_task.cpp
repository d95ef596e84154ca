#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/cli/item_runs.h"
#include "app/cli/sweep_subject.h"
#include "app/wiring/inputs.h"
#include "core/base/sha256.h"
#include "core/engine/backend.h"
#include "core/evaluate/summary_json.h"
#include "core/policy/authors_names.h"
#include "core/policy/qaq_policy.h"
#include "core/replay/run_mode.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

// What the questions are, as the model gets them, whatever their file is called.
std::string fingerprint(const std::vector<ChoiceQuestion>& questions) {
  Json all = Json::array();
  for (const ChoiceQuestion& each : questions) {
    all.push_back({each.id, each.question, each.choices, each.n_bytes, each.answer});
  }
  return sha256_hex(all.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// The numbers of `qaq evaluate`, with how many questions they are of and what the whole cache gave.
Json metrics_of(const std::vector<ItemResult>& items, std::size_t setting,
                const SettingSummary& summary) {
  Json out = summary_json(summary);
  out["n"] = items.size();
  out["accuracy_whole"] = reference_accuracy(items).value().accuracy;
  out["p_whole"] = paired_test(items, setting, {}).p;
  return out;
}

class TaskSweep : public SweepSubject {
 public:
  // Each setting has an engine of its own, which takes memory.
  static constexpr std::size_t kAtATime = 16;
  // Each batch makes the whole cache's pass again: no more of them than ranks need to end together.
  static constexpr std::size_t kBatchesOfARank = 2;

  explicit TaskSweep(const TaskSubject& subject)
      : subject_(subject),
        model_(open_model_named(subject.model, subject.prune_weights)),
        items_(task_items(subject.task, *model_, *make_tokenizer(*model_), subject.questions)),
        fingerprint_(fingerprint(items_.questions)) {}

  std::string hash_of(const QaqParams& params) const override {
    const Json json{{"model", model_->sha256()},
                    {"questions", fingerprint_},
                    {"choice", parameters_json(list_parameters(subject_.choice))},
                    {"dtype", name_of(subject_.dtype)},
                    {"parameters", parameters_json(list_parameters(params))}};
    return sha256_hex(json.dump()).substr(0, 32);
  }

  std::vector<ResultRecord> run(std::span<const QaqParams> settings, const Work& work) override {
    const std::vector<ItemResult> items = answered(settings, work);
    std::vector<ResultRecord> out;
    for (std::size_t i = 0; i < settings.size(); ++i) {
      const SettingSummary summary = summarize(items, i);
      const Json metrics = metrics_of(items, i, summary);
      ResultRecord record;
      record.params =
          authors_params(settings[i], {model_->spec().name, items_.name, std::ssize(items)});
      record.results = authors_results(metrics);
      record.qaq_scope = {{"hash", hash_of(settings[i])},
                          {"task", items_.name},
                          {"mode", name_of(RunMode::in_the_model)},
                          {"dtype", name_of(subject_.dtype)},
                          {"too_long", items_.too_long.size()},
                          {"choice", parameters_json(list_parameters(subject_.choice))},
                          {"seed", seed_json()},
                          {"parameters", parameters_json(list_parameters(settings[i]))},
                          {"metrics", metrics}};
      out.push_back(std::move(record));
    }
    return out;
  }

 private:
  std::vector<ItemResult> answered(std::span<const QaqParams> settings, const Work& work) {
    std::optional<ItemLog> log;
    if (!subject_.log.empty()) {
      Json hashes = Json::array();
      for (const QaqParams& params : settings) hashes.push_back(hash_of(params));
      log.emplace(subject_.log, Json{{"settings", hashes}}, OtherItems::begin_anew);
    }
    const auto open = [&]() -> PrefixRun& { return run_of(settings, work); };
    std::vector<ItemResult> out;
    run_items(items_, subject_.choice, {log ? &*log : nullptr, open}, out, work);
    return out;
  }

  // Engines stay open from call to call.
  PrefixRun& run_of(std::span<const QaqParams> settings, const Work& work) {
    if (run_) {
      run_->set_settings(qaq_policies(settings));
    } else {
      const auto open = [model = model_, n = items_.longest(), stop = work.stop_token()] {
        return make_cpu_backend()->open(model, {n, n}, Work(nullptr, stop));
      };
      run_.emplace(open, qaq_policies(settings), subject_.dtype);
    }
    return *run_;
  }

  Json seed_json() const {
    const auto& seed = subject_.questions.seed;
    return seed ? Json(*seed) : Json();
  }

  TaskSubject subject_;
  std::shared_ptr<const ModelFile> model_;
  EvaluationItems items_;
  std::string fingerprint_;
  std::optional<PrefixRun> run_;
};

}  // namespace

SubjectSource task_subject(const TaskSubject& subject) {
  return {subject.task,
          [subject](const Work&) -> std::unique_ptr<SweepSubject> {
            return std::make_unique<TaskSweep>(subject);
          },
          TaskSweep::kAtATime, TaskSweep::kBatchesOfARank};
}

}  // namespace qaq::cli
