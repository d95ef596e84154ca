#include "app/scope/session_figure.h"

#include <QDir>
#include <algorithm>
#include <cstdio>
#include <set>

#include "app/scope/chart_figure.h"
#include "app/scope/session_state.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/captured_layers.h"
#include "data/capture/capture_file.h"
#include "views/models/provenance.h"
#include "views/models/reference.h"
#include "views/plots/diagnosis_view.h"
#include "views/plots/figure_renderer.h"
#include "views/plots/view_list.h"
#include "views/shell/page_stack.h"

namespace qaq::scope {
namespace {

using views::SessionState;

void checkSessionFlags(const FigureOptions& options) {
  auto given = drawingFlags(options);
  given.emplace_back("view", !options.view.empty() || !options.files.empty());
  for (const auto& [flag, isGiven] : given) {
    if (!isGiven) continue;
    refuse_usage({.place = flag,
                  .what = "does not go with --session",
                  .cure = "leave it out: the session says what is drawn"});
  }
}

// "Trade-off and memory" -> "trade-off-and-memory"; names that are taken get a number.
class PageNames {
 public:
  std::string next(const QString& title) {
    QString name;
    for (const QChar c : title.toLower()) {
      const bool plain = c.isLetterOrNumber();
      if (plain) name += c;
      if (!plain && !name.isEmpty() && !name.endsWith(QLatin1Char('-'))) name += QLatin1Char('-');
    }
    while (name.endsWith(QLatin1Char('-'))) name.chop(1);
    if (name.isEmpty()) name = QStringLiteral("page");
    QString unique = name;
    for (int n = 2; !m_taken.insert(unique).second; ++n)
      unique = name + QStringLiteral("-%1").arg(n);
    return unique.toStdString();
  }

 private:
  std::set<QString> m_taken;
};

QList<SessionState::Page> pagesOf(const SessionState& state, const FigureOptions& options) {
  QList<SessionState::Page> pages = state.pages;
  if (pages.isEmpty()) {
    for (const views::PageLayout& page : views::PageStack::builtIn()) {
      pages.push_back({page.title, page.rows});
    }
  }
  if (options.page && (*options.page < 1 || *options.page > pages.size())) {
    refuse_usage({.place = "--page",
                  .what = cat("the session has no page ", *options.page),
                  .cure = cat("give one from 1 to ", pages.size())});
  }
  return pages;
}

// Layers of a session are the model's; those of a slice are indices of captured ones.
struct Shown {
  views::SharedSlice slice;
  std::optional<views::Cursor> lock;
};

views::AgainstRequest againstOf(const SessionState& state, const views::Analysis& shown) {
  if (!state.reference) return {};
  const SessionState::Reference& kept = *state.reference;
  views::Reference reference{
      .kind = views::keptKind(kept.kind),
      .label = kept.label,
      .path = kept.capture,
      .capture = kept.capture.isEmpty() ? shown.capture : open_capture(kept.capture.toStdString()),
      .params = kept.params,
      .prefix = kept.prefix};
  return {kept.label, views::analyse(reference.request(shown.params, shown.replay->prefix))};
}

Shown shownOf(const SessionState& state) {
  const auto capture = open_capture(state.capture.toStdString());
  const CaptureInfo& info = capture->info();
  const std::int64_t prefix = std::min(state.prefix, info.n_tokens);
  const auto analysis =
      views::analyse({.capture = capture, .params = state.params, .prefix = prefix});
  views::SelectionModel selection;  // holds coordinates inside the capture
  selection.reset(info, views::defaultSlice(*analysis));
  if (state.lock) {
    if (const auto layer = captured_index(info.layers, state.lock->layer)) {
      views::Cursor lock = *state.lock;
      lock.layer = *layer;
      selection.lock(lock);
    }
  }
  if (state.slice) {
    if (const auto layer = captured_index(info.layers, state.slice->layer)) {
      views::Slice slice = *state.slice;
      slice.layer = *layer;
      selection.setSlice(slice);
    }
  }
  const auto against = againstOf(state, *analysis);
  const auto slice = views::loadSlice(analysis, selection.slice(), {}, against);
  const auto both = views::compared(slice);
  return {both ? both : slice, selection.locked()};
}

// A view of what the session does not hold: of A and B where it compares nothing, of a diagnosis.
bool isOfNothing(const QString& id, const Shown& shown) {
  views::SelectionModel selection;
  const auto view = views::makeView(id, &selection);
  return qobject_cast<views::DiagnosisView*>(view.get()) ||
         (!shown.slice->against && view->isOfBoth());
}

}  // namespace

void drawSession(const FigureOptions& options) {
  checkSessionFlags(options);
  const views::LoadedSession session = openSession(options.session);
  if (session.changed) {
    std::fprintf(stderr, "qaq-scope: warning: %s is not the file that the session was saved with\n",
                 session.state.capture.toStdString().c_str());
  }
  const QList<SessionState::Page> pages = pagesOf(session.state, options);
  const Shown shown = shownOf(session.state);
  const QDir folder(QString::fromStdString(options.output));
  if (!folder.mkpath(QStringLiteral("."))) {
    throw Error(ErrorKind::work, {.file = options.output,
                                  .what = "cannot be made a folder",
                                  .cure = "name a folder that can be written to"});
  }
  const std::string ending = options.format.empty() ? "png" : options.format;
  const std::string provenance = views::provenanceText(*shown.slice);
  PageNames names;
  std::optional<Error> refused;
  int drawn = 0;
  for (int i = 0; i < pages.size(); ++i) {
    const std::string name = names.next(pages[i].title);
    if (options.page && *options.page != i + 1) continue;
    for (const QStringList& row : pages[i].rows) {
      for (const QString& id : row) {
        if (isOfNothing(id, shown)) continue;
        try {
          const QJsonObject state = session.state.views.value(id).toObject();
          const views::FigureRenderer figure(
              id, shown.slice, styleOf(options, provenance), shown.lock,
              [&state](views::PlotView& view) { view.setViewState(state); });
          figure.save(folder.filePath(
              QString::fromStdString(cat(name, "-", id.toStdString(), ".", ending))));
          ++drawn;
        } catch (const Error& error) {
          if (error.kind() == ErrorKind::work) throw;
          if (refused) std::fprintf(stderr, "qaq-scope: warning: %s\n", refused->what());
          refused = error;
        }
      }
    }
  }
  if (!refused) return;
  if (drawn == 0) refuse_input(refused->text());
  std::fprintf(stderr, "qaq-scope: warning: %s\n", refused->what());
}

}  // namespace qaq::scope
