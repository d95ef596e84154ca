#include "views/panels/lesson_panel.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QRadioButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QStackedWidget>
#include <QTextDocumentFragment>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/plots/chart_plot.h"

namespace qaq::views {
namespace {

constexpr int kTitlePx = 17, kTextPx = 14;
constexpr int kMargin = 12, kGap = 8;
constexpr Px<int> kBarHeight{4}, kBarGap{4}, kWidestBar{34};

QLabel* textLabel(int px, bool bold = false) {
  auto* label = new QLabel;
  label->setFont(Theme::font(px, bold));
  label->setWordWrap(true);
  label->setTextFormat(Qt::RichText);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  label->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  return label;
}

QString plainText(const QLabel* label) {
  return QTextDocumentFragment::fromHtml(label->text()).toPlainText();
}

}  // namespace

StepBar::StepBar(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void StepBar::setSteps(int count, int current, const QList<int>& done) {
  m_count = count;
  m_current = current;
  m_done = done;
  update();
}

void StepBar::setTheme(const Theme& theme) {
  m_theme = theme;
  update();
}

void StepBar::paintEvent(QPaintEvent*) {
  if (m_count == 0) return;
  QPainter painter(this);
  const int width = std::min<int>(kWidestBar, (this->width() + kBarGap) / m_count - kBarGap);
  for (int i = 0; i < m_count; ++i) {
    const QRect bar(i * (width + kBarGap), (height() - kBarHeight) / 2, width, kBarHeight);
    painter.fillRect(bar, m_done.contains(i) ? m_theme.accent : m_theme.border);
    // Not by colour alone: the step at hand is underlined.
    if (i == m_current) painter.fillRect(bar.translated(0, kBarHeight), m_theme.text);
  }
}

LessonPanel::LessonPanel(QWidget* parent) : QWidget(parent), m_pages(new QStackedWidget) {
  setObjectName(QStringLiteral("lessonPanel"));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(m_pages);
  m_pages->addWidget(makeList());
  m_pages->addWidget(makeStep());
  connect(&m_choices, &QButtonGroup::idClicked, this, &LessonPanel::showAnswer);
}

QWidget* LessonPanel::makeList() {
  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true);
  auto* page = new QWidget;
  m_listColumn = new QVBoxLayout(page);
  m_listColumn->setContentsMargins(kMargin, kMargin, kMargin, kMargin);
  m_listColumn->setSpacing(kGap);
  m_listColumn->addStretch(1);
  scroll->setWidget(page);
  return scroll;
}

QWidget* LessonPanel::makeStep() {
  auto* page = new QWidget;
  page->setObjectName(QStringLiteral("lessonStep"));
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_scroll = new QScrollArea;
  m_scroll->setWidgetResizable(true);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  auto* content = new QWidget;
  auto* body = new QVBoxLayout(content);
  body->setContentsMargins(kMargin + 4, kMargin, kMargin + 4, kMargin);
  body->setSpacing(kGap);
  m_title = textLabel(kTitlePx, true);
  body->addWidget(m_title);
  auto* where = new QHBoxLayout;
  m_bar = new StepBar;
  where->addWidget(m_bar, 1);
  m_where = textLabel(Theme::kLabelPx);
  m_where->setWordWrap(false);
  where->addWidget(m_where);
  body->addLayout(where);
  m_stepTitle = textLabel(kTextPx, true);
  body->addWidget(m_stepTitle);
  m_body = textLabel(kTextPx);
  body->addWidget(m_body);
  m_chart = new ChartPlot;
  QSizePolicy follows(QSizePolicy::Ignored, QSizePolicy::Fixed);
  follows.setHeightForWidth(true);
  m_chart->setSizePolicy(follows);
  body->addWidget(m_chart);

  m_other = new QWidget;
  auto* other = new QVBoxLayout(m_other);
  other->setContentsMargins(0, 0, 0, 0);
  m_otherText = textLabel(Theme::kTitlePx);
  other->addWidget(m_otherText);
  m_openCapture = new QPushButton;
  connect(m_openCapture, &QPushButton::clicked, this, &LessonPanel::captureWanted);
  other->addWidget(m_openCapture, 0, Qt::AlignLeft);
  body->addWidget(m_other);

  auto* act = new QHBoxLayout;
  m_showMe = new QPushButton(tr("Show me"));
  m_showMe->setObjectName(QStringLiteral("showMe"));
  connect(m_showMe, &QPushButton::clicked, this, &LessonPanel::showMeWanted);
  act->addWidget(m_showMe);
  m_hint = textLabel(Theme::kLabelPx);
  act->addWidget(m_hint, 1);
  body->addLayout(act);

  m_questionBox = new QWidget;
  auto* question = new QVBoxLayout(m_questionBox);
  question->setContentsMargins(0, kGap, 0, 0);
  question->setSpacing(kGap);
  auto* heading = textLabel(Theme::kTitlePx, true);
  heading->setObjectName(QStringLiteral("lessonHeading"));
  heading->setText(tr("Question"));
  question->addWidget(heading);
  m_question = textLabel(kTextPx);
  question->addWidget(m_question);
  m_choiceColumn = new QVBoxLayout;
  m_choiceColumn->setSpacing(6);
  question->addLayout(m_choiceColumn);
  m_answer = textLabel(Theme::kTitlePx);
  question->addWidget(m_answer);
  body->addWidget(m_questionBox);
  m_comparison = textLabel(Theme::kTitlePx);
  body->addWidget(m_comparison);
  body->addStretch(1);
  m_scroll->setWidget(content);
  column->addWidget(m_scroll, 1);

  auto* buttons = new QHBoxLayout;
  buttons->setContentsMargins(kMargin, kGap, kMargin, kGap);
  buttons->setSpacing(kGap);
  m_back = new QPushButton(tr("Back"));
  connect(m_back, &QPushButton::clicked, this, &LessonPanel::backWanted);
  buttons->addWidget(m_back);
  auto* list = new QPushButton(tr("Lessons"));
  connect(list, &QPushButton::clicked, this, &LessonPanel::listWanted);
  buttons->addWidget(list);
  m_handOut = new QPushButton(tr("Hand-out…"));
  connect(m_handOut, &QPushButton::clicked, this, &LessonPanel::handOutWanted);
  buttons->addWidget(m_handOut);
  buttons->addStretch(1);
  m_next = new QPushButton(tr("Next"));
  m_next->setDefault(true);
  connect(m_next, &QPushButton::clicked, this, &LessonPanel::nextWanted);
  buttons->addWidget(m_next);
  column->addLayout(buttons);
  return page;
}

void LessonPanel::showList(const QList<Entry>& lessons) {
  for (QWidget* row : m_listRows) {
    row->hide();
    row->deleteLater();
  }
  m_listRows.clear();
  for (int i = 0; i < lessons.size(); ++i) {
    const Entry& entry = lessons[i];
    auto* row = new QPushButton(entry.title);
    row->setObjectName(QStringLiteral("lessonRow"));
    row->setFont(Theme::font(Theme::kTitlePx));
    row->setStyleSheet(QStringLiteral("text-align: left; padding: 6px 10px;"));
    connect(row, &QPushButton::clicked, this, [this, i] { emit lessonChosen(i); });
    auto* state = new QLabel(entry.done == 0 ? tr("%1 steps").arg(entry.steps)
                             : entry.done == entry.steps
                                 ? tr("✓ done")
                                 : tr("%1 of %2 steps done").arg(entry.done).arg(entry.steps));
    state->setFont(Theme::font(Theme::kLabelPx));
    state->setIndent(10);
    row->setAccessibleDescription(state->text());
    for (QWidget* widget : std::initializer_list<QWidget*>{row, state}) {
      m_listColumn->insertWidget(m_listColumn->count() - 1, widget);
      m_listRows.push_back(widget);
    }
  }
  styleTexts();
  m_pages->setCurrentIndex(0);
}

bool LessonPanel::showsList() const { return m_pages->currentIndex() == 0; }

void LessonPanel::showPage(const Page& page) {
  m_page = page;
  m_title->setText(page.lesson);
  m_where->setText(tr("step %1 of %2").arg(page.index + 1).arg(page.count));
  m_stepTitle->setText(page.step);
  m_showMe->setVisible(page.canShow);
  m_hint->setVisible(page.canShow);
  m_back->setEnabled(page.index > 0);
  m_next->setText(page.index + 1 < page.count ? tr("Next") : tr("Finish"));
  m_handOut->setVisible(page.canHandOut);
  m_other->setVisible(!page.capture.isEmpty());
  m_otherText->setText(tr("This lesson is about another capture, %1.").arg(page.capture));
  m_openCapture->setText(tr("Open %1").arg(page.capture));
  m_showMe->setEnabled(page.capture.isEmpty());
  m_scroll->verticalScrollBar()->setValue(0);
  setText({});
  setDone(page.isDone, page.done);
  m_pages->setCurrentIndex(1);
  // Space presses it.
  if (isAncestorOf(focusWidget()) && page.canShow) m_showMe->setFocus();
}

void LessonPanel::setDone(bool isDone, const QList<int>& steps) {
  m_page.isDone = isDone;
  m_bar->setSteps(m_page.count, m_page.index, steps);
  m_bar->setAccessibleName(
      tr("step %1 of %2, %3 done").arg(m_page.index + 1).arg(m_page.count).arg(steps.size()));
  m_hint->setText(isDone ? tr("✓ Done. It can be undone.") : tr("or do it yourself"));
  styleTexts();
}

void LessonPanel::setText(const LessonText& text) {
  const bool sameQuestion = !m_text.question.isEmpty() && m_text.question == text.question &&
                            m_text.choices == text.choices && m_text.right == text.right;
  m_text = text;
  m_body->setText(lessonHtml(text.body));
  m_chart->setVisible(text.chart != nullptr);
  if (text.chart) {
    Chart chart = *text.chart;
    chart.columns = 1;  // the dock is narrow
    m_chart->setChart(chart);
  }
  m_question->setText(lessonHtml(text.question));
  m_comparison->setText(lessonHtml(text.comparison));
  m_comparison->setVisible(!text.comparison.isEmpty());
  m_questionBox->setVisible(!text.question.isEmpty());
  if (sameQuestion) return;  // an answer stays while other numbers change
  m_answer->clear();
  for (QAbstractButton* button : m_choices.buttons()) {
    m_choices.removeButton(button);
    delete button;
  }
  for (int i = 0; i < text.choices.size(); ++i) {
    auto* choice = new QRadioButton(text.choices[i]);
    choice->setFont(Theme::font(kTextPx));
    choice->setEnabled(text.right >= 0);
    m_choices.addButton(choice, i);
    m_choiceColumn->addWidget(choice);
  }
  if (!text.question.isEmpty() && text.right < 0) {
    m_answer->setText(tr("The question is about the lesson’s own capture and settings."));
  }
}

void LessonPanel::setError(const QString& line) {
  setText({});
  m_body->setText(QStringLiteral("⚠ ") + line.toHtmlEscaped());
}

void LessonPanel::showAnswer(int choice) {
  const bool right = choice == m_text.right;
  m_answer->setText(
      lessonHtml(right ? tr("✓ Right. %1").arg(m_text.why) : tr("✗ No. Look again.")));
  m_answer->setStyleSheet(
      QStringLiteral("color: %1").arg((right ? m_theme.ok : m_theme.warning).name()));
}

QString LessonPanel::bodyText() const { return plainText(m_body); }
QString LessonPanel::answerText() const { return plainText(m_answer); }

void LessonPanel::styleTexts() {
  const QString muted = QStringLiteral("color: %1").arg(m_theme.muted.name());
  m_where->setStyleSheet(muted);
  m_hint->setStyleSheet(
      QStringLiteral("color: %1").arg((m_page.isDone ? m_theme.ok : m_theme.muted).name()));
  for (QWidget* row : m_listRows) {
    if (qobject_cast<QLabel*>(row)) row->setStyleSheet(muted);
  }
}

void LessonPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  m_bar->setTheme(theme);
  m_chart->setTheme(theme);
  const QString choices =
      QStringLiteral(
          "QRadioButton::indicator { width: 12px; height: 12px; border-radius: 7px; "
          "border: 1px solid %1; background: %2; } "
          "QRadioButton::indicator:checked { width: 6px; height: 6px; "
          "border: 4px solid %3; } "
          "QRadioButton:focus { text-decoration: underline; } ")
          .arg(theme.frame.name(), theme.surface.name(), theme.accent.name());
  setStyleSheet(choices + QStringLiteral(
                              "#lessonPanel, #lessonStep { background: %1; } "
                              "#lessonHeading { color: %2; } #showMe { background: %3; color: %4; }"
                              "#showMe:disabled { background: %5; color: %6; }")
                              .arg(theme.surface.name(), theme.muted.name(), theme.accent.name(),
                                   theme.onAccent.name(), theme.raised.name(), theme.faint.name()));
  styleTexts();
}

}  // namespace qaq::views
