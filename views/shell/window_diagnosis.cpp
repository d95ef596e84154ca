// What MainWindow does with the diagnosis of the open capture.
#include <QBuffer>
#include <QFileDialog>
#include <QFileInfo>

#include "core/replay/captured_layers.h"
#include "views/models/diagnoser.h"
#include "views/panels/failures_panel.h"
#include "views/panels/why_panel.h"
#include "views/plots/broke_view.h"
#include "views/plots/figure_page.h"
#include "views/plots/view_list.h"
#include "views/shell/diagnosis_dialog.h"
#include "views/shell/dock_layout.h"
#include "views/shell/lesson_guide.h"
#include "views/shell/main_window.h"
#include "views/shell/notice_bar.h"
#include "views/shell/page_stack.h"
#include "views/shell/status_line.h"
#include "views/shell/view_links.h"
#include "views/shell/window_commands.h"

namespace qaq::views {
namespace {

constexpr double kReportScale = 2;  // dots a px of a report's pictures

}  // namespace

void MainWindow::connectDiagnosis() {
  m_docks->add(DockLayout::Place::bottom, QStringLiteral("failures"), tr("Failures"), m_failures);
  m_docks->add(DockLayout::Place::rightMain, QStringLiteral("why"), tr("Why"), m_why);
  connect(m_failures, &FailuresPanel::diagnoseWanted, this, &MainWindow::askForDiagnosis);
  connect(m_failures, &FailuresPanel::stepChosen, this, &MainWindow::lookAtStep);
  connect(m_failures, &FailuresPanel::explainWanted, this, [this](int step) {
    DiagnosisForm form = startForm();
    form.step = step;
    diagnose(form);
  });
  connect(m_why, &WhyPanel::cellsWanted, this, &MainWindow::showBlamedCells);
  connect(m_why, &WhyPanel::exportWanted, this, [this] { exportDiagnosis({}); });
  connect(m_links, &ViewLinks::stepChosen, this, &MainWindow::lookAtStep);
  connect(m_diagnoser, &Diagnoser::changed, this, [this] { m_commands->registry().refresh(); });
  connect(m_diagnoser, &Diagnoser::resultChanged, this, &MainWindow::showDiagnosis);
  connect(m_diagnoser, &Diagnoser::stepChanged, this, [this] {
    handOutStep();
    m_commands->registry().refresh();
  });
  connect(m_page, &PageStack::pagesChanged, this, &MainWindow::handOutStep);
  connect(m_diagnoser, &Diagnoser::failed, this, [this](const QString& line) {
    m_status->setError(line);
    m_notice->show(line);
  });
  connect(m_diagnoser, &Diagnoser::exported, this, [this](const QString& path) {
    tell(tr("written: %1").arg(path));
    statusBar()->showMessage(tr("Wrote %1").arg(QFileInfo(path).fileName()), 8000);
  });
  connect(&m_workspace, &Workspace::opened, this, [this] {
    m_diagnoser->forget();
    m_diagnosisForm.reset();
  });
  connect(&m_workspace, &Workspace::changed, this, [this] {
    const ScopeParams& params = m_workspace.shown()->analysis->params;
    m_failures->setParams(params);
    m_why->setParams(params);
  });
}

void MainWindow::handOutStep() {
  for (PlotView* view : allViews()) {
    if (auto* broke = qobject_cast<BrokeView*>(view)) broke->setStep(m_diagnoser->step());
  }
}

DiagnosisForm MainWindow::startForm() const {
  if (m_diagnosisForm) return *m_diagnosisForm;
  const CaptureInfo& info = m_workspace.capture()->info();
  DiagnosisForm form = diagnosisForm(info);
  if (m_diagnoser->maker().modelOf) {
    form.model = m_diagnoser->maker().modelOf(info, m_workspace.path());
  }
  return form;
}

void MainWindow::askForDiagnosis() {
  if (!m_workspace.capture()) return;
  if (!m_diagnosisDialog) {
    m_diagnosisDialog = new DiagnosisDialog(m_diagnoser->maker().models, this);
    connect(m_diagnosisDialog, &DiagnosisDialog::wanted, this, &MainWindow::diagnose);
  }
  m_diagnosisDialog->setTheme(theme());
  m_diagnosisDialog->setCapture(m_workspace.capture()->info());
  m_diagnosisDialog->setForm(startForm());
  m_diagnosisDialog->show();
  m_diagnosisDialog->raise();
  m_diagnosisDialog->activateWindow();
}

void MainWindow::diagnose(const DiagnosisForm& form) {
  if (!m_workspace.capture()) return;
  m_diagnosisForm = form;
  m_diagnosisForm->step.reset();  // is asked for each time
  m_docks->bringUp(QStringLiteral("failures"));
  m_diagnoser->start({.form = form,
                      .capture = m_workspace.capture(),
                      .path = m_workspace.path(),
                      .params = m_workspace.params()});
}

void MainWindow::showDiagnosis() {
  m_workspace.setDiagnosis(m_diagnoser->result());
  if (!m_diagnoser->result()) return;
  tell(tr("diagnosed: %1").arg(m_why->summary()));
  lookAt(QStringLiteral("broke"));
  if (!m_lessons->lesson()) m_docks->bringUp(QStringLiteral("why"));
  lookAtStep(m_diagnoser->step());
}

void MainWindow::lookAtStep(int step) {
  const SharedDiagnosis& result = m_diagnoser->result();
  if (!result) return;
  m_diagnoser->setStep(step);
  const auto& steps = result->diagnosis.steps;
  SelectionModel& selection = m_workspace.selection();
  const std::int64_t token = steps[static_cast<std::size_t>(m_diagnoser->step())].position;
  // What was generated behind the capture is no token of it.
  if (token >= m_workspace.capture()->info().n_tokens) return;
  const Slice& slice = selection.slice();
  selection.lock({.side = slice.side,
                  .layer = slice.layer,
                  .kvHead = slice.kvHead,
                  .token = static_cast<int>(token)});
}

void MainWindow::showBlamedCells() {
  const SharedDiagnosis& result = m_diagnoser->result();
  if (!result || result->diagnosis.cells.empty()) return;
  SelectionModel& selection = m_workspace.selection();
  const std::vector<std::int32_t>& layers = selection.layerNumbers();
  std::vector<SelectionBox> boxes;
  std::optional<Cursor> strongest;
  for (const DiagnosedCell& each : result->diagnosis.cells) {
    const CellAddress& cell = each.cell;
    const auto layer = captured_index(layers, cell.layer);
    if (!layer) continue;
    const auto token = static_cast<std::int32_t>(cell.token);
    const auto row =
        static_cast<std::int32_t>(*layer * selection.shape().n_kv_heads + cell.kv_head);
    boxes.push_back({{token, token}, row, row});
    if (strongest) continue;
    strongest = Cursor{.side = cell.side,
                       .layer = *layer,
                       .kvHead = static_cast<int>(cell.kv_head),
                       .token = token};
  }
  if (!strongest) {
    m_notice->show(tr("The layers to blame were not captured."));
    return;
  }
  selection.lock(*strongest);
  selection.select(SelectionSet::of_boxes(selection.shape(), boxes));
  m_slices.keepSelected(tr("to blame at step %1").arg(result->diagnosis.step));
  m_page->bringUp(QStringLiteral("bits"));
}

void MainWindow::exportDiagnosis(QString path) {
  const SharedSlice& shown = m_workspace.shown();
  if (!m_diagnoser->result() || !shown) return;
  if (path.isEmpty()) {
    const QFileInfo capture(m_workspace.path());
    path = QFileDialog::getSaveFileName(
        this, tr("Export report"),
        capture.dir().filePath(capture.completeBaseName() + QStringLiteral("-diagnosis.html")),
        tr("Web page (*.html);;Markdown (*.md)"));
    if (path.isEmpty()) return;
  }
  std::vector<PagePicture> pictures;
  for (const char* id : {"broke", "where", "heads"}) {
    SelectionModel selection;
    selection.reset(shown->analysis->capture->info(), shown->slice);
    const auto view = makeView(QLatin1String(id), &selection);
    view->setTheme(Theme::of(ThemeKind::light));
    view->show(shown);
    if (!view->error().isEmpty()) continue;
    const FigurePage page(
        [&](QCPPainter* painter, const QSize& size) { view->paintFigure(painter, size); },
        view->title(), view->figureSize(), {.scale = kReportScale});
    QByteArray png;
    QBuffer buffer(&png);
    buffer.open(QIODevice::WriteOnly);
    page.image().save(&buffer, "PNG");
    const QString file =
        QStringLiteral("%1-%2.png").arg(QFileInfo(path).completeBaseName(), QLatin1String(id));
    pictures.push_back({.title = view->title().toStdString(),
                        .png = png.toStdString(),
                        .file = file.toStdString()});
  }
  m_diagnoser->exportReport(path, std::move(pictures));
}

}  // namespace qaq::views
