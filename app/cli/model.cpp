#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "core/base/text.h"
#include "data/models/model_store.h"

namespace qaq::cli {
namespace {

void list(const CommonOptions& common) {
  const ModelStore store;
  if (common.json) {
    auto models = nlohmann::ordered_json::array();
    for (const KnownModel& model : ModelStore::known()) {
      models.push_back({{"name", model.name},
                        {"bytes", model.n_bytes},
                        {"sha256", model.sha256},
                        {"license", model.license},
                        {"fetched", store.has(model)}});
    }
    print_json({{"models", models}});
    return;
  }
  for (const KnownModel& model : ModelStore::known()) {
    std::printf("%-20s %10s  %-12s %s\n", std::string(model.name).c_str(),
                byte_text(model.n_bytes).c_str(), std::string(model.license).c_str(),
                store.has(model) ? "fetched" : "not fetched");
  }
}

void fetch(const std::string& name, const CommonOptions& common) {
  ConsoleProgress progress(common.quiet);
  const Stopwatch watch;
  const std::string path =
      ModelStore().fetch(name, Work(&progress, Interruption::stop_token())).string();
  if (common.json) {
    print_json({{"model", name}, {"path", path}, {"timing", {{"total", watch.seconds()}}}});
  } else {
    std::printf("%s\n", path.c_str());
  }
}

}  // namespace

void add_model(CLI::App& program, const CommonOptions& common) {
  CLI::App* command = program.add_subcommand("model", "Known small models: list and fetch");
  command->require_subcommand(1);
  CLI::App* list_command = command->add_subcommand("list", "The known models");
  list_command->callback([&common] { list(common); });

  auto name = std::make_shared<std::string>();
  CLI::App* fetch_command = command->add_subcommand(
      "fetch", "Bring a known model into the cache folder and check its SHA-256");
  fetch_command->add_option("name", *name, "Name, as in qaq model list")->required();
  fetch_command->footer("Example:\n  qaq model fetch smollm2-135m");
  fetch_command->callback([name, &common] { fetch(*name, common); });
}

}  // namespace qaq::cli
