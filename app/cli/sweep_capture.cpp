#include <nlohmann/json.hpp>
#include <utility>

#include "app/cli/sweep_subject.h"
#include "core/base/sha256.h"
#include "core/policy/authors_names.h"
#include "core/replay/replay.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

// What a capture is, whatever its file is called.
std::string fingerprint(const CaptureInfo& info) {
  const Json json{{"model", info.model_sha256},
                  {"tokens", info.token_ids},
                  {"layers", info.layers},
                  {"dtype", static_cast<int>(info.dtype)},
                  {"rows", info.query_token}};
  return sha256_hex(json.dump());
}

class CaptureSweep : public SweepSubject {
 public:
  // Enough that layers are read for many at once.
  static constexpr std::size_t kAtATime = 48;
  static constexpr std::size_t kBatchesOfARank = 4;

  CaptureSweep(std::shared_ptr<const CaptureView> capture, const SweepOptions& options,
               const OpenReplay& open, const Work& work)
      : capture_(std::move(capture)),
        sweeper_(*capture_, options, work, open),
        fingerprint_(fingerprint(capture_->info())) {}

  std::string hash_of(const QaqParams& params) const override {
    const Json json{{"capture", fingerprint_},
                    {"prefix", sweeper_.prefix()},
                    {"rows", sweeper_.n_rows()},
                    {"parameters", parameters_json(list_parameters(params))}};
    return sha256_hex(json.dump()).substr(0, 32);
  }

  std::vector<ResultRecord> run(std::span<const QaqParams> settings, const Work& work) override {
    const auto results = sweeper_.run(settings, Work(nullptr, work.stop_token()));
    std::vector<ResultRecord> out;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Json metrics = metrics_json(*results[i]);
      const CaptureInfo& info = capture_->info();
      ResultRecord record;
      record.params = authors_params(settings[i], {info.model_name, info.name, 0});
      record.results = authors_results(metrics);
      record.qaq_scope = {{"hash", hash_of(settings[i])},
                          {"capture", info.name},
                          {"mode", name_of(RunMode::batch)},
                          {"prefix", sweeper_.prefix()},
                          {"compared_rows", sweeper_.n_rows()},
                          {"parameters", parameters_json(results[i]->parameters)},
                          {"metrics", metrics}};
      out.push_back(std::move(record));
    }
    return out;
  }

 private:
  std::shared_ptr<const CaptureView> capture_;
  Sweeper sweeper_;
  std::string fingerprint_;
};

}  // namespace

SubjectSource capture_subject(const std::string& path, const SweepOptions& options,
                              const OpenReplay& open) {
  return {path,
          [path, options, open](const Work& work) -> std::unique_ptr<SweepSubject> {
            return std::make_unique<CaptureSweep>(open_capture(path, work), options, open, work);
          },
          CaptureSweep::kAtATime, CaptureSweep::kBatchesOfARank};
}

}  // namespace qaq::cli
