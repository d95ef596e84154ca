#include "app/cli/prune_flag.h"

#include <string>

namespace qaq::cli {

CLI::Option* add_prune_flag(CLI::App& command, double& share) {
  const auto is_share = [](const std::string& word) -> std::string {
    double value = -1;
    const bool is_number = CLI::detail::lexical_cast(word, value);
    return is_number && value >= 0 && value < 1 ? ""
                                                : "'" + word + "' is no share from 0 to below 1";
  };
  return command
      .add_option(
          "--prune-weights", share,
          "Set this share of the weights of each linear map to 0, those of least magnitude, "
          "when the model is loaded; weights in blocks (q4_1 ...) become float32 then")
      ->check(CLI::Validator(is_share, "0 to below 1"))
      ->type_name("SHARE")
      ->capture_default_str();
}

}  // namespace qaq::cli
