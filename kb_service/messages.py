"""Texts for people in both languages. The English template is the key; `ZH` holds its translation.

A test collects every template that the code raises and fails when one has no translation here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Language: TypeAlias = Literal["zh", "en"]

ZH: Mapping[str, str] = {
    "{file} is not a whole backup ({reason}); take another one.": "{file} 不是完整的备份（{reason}）；请换用其他备份。",
    "There is no backup {file}.": "没有备份 {file}。",
    "{folder} is in use by another process of this service; end it first, or try again.": "{folder} 正被本服务的其他进程使用；请先结束该进程，或稍后再试。",
    "A backup is just being restored into {folder}; try again when that is done.": "正在把备份恢复到 {folder}；请在完成后再试。",
    "What lies in the backup is no store of this service at revision {revision} ({reason}); take another one.": "备份中的内容不是本服务修订号为 {revision} 的存储（{reason}），请换用其他备份。",
    "The store in the backup is damaged ({reason}).": "备份中的数据库已损坏（{reason}）。",
    "{program} is not installed here. Install PostgreSQL's client programs, or run it where the database is: {instead}": "此处没有安装 {program}。请安装 PostgreSQL 客户端程序，或在数据库所在机器上运行：{instead}",
    "{program} failed ({reason}). Mend that, or run it where the database is: {instead}": "{program} 执行失败（{reason}）。请排除该问题，或在数据库所在机器上运行：{instead}",
    "{folder} has {free} MB free and a backup may need {needed} MB; make room, or name another folder.": "{folder} 剩余 {free} MB，而备份可能需要 {needed} MB；请腾出空间或换用其他文件夹。",
    "{file} was made by version {version} with tables at revision {revision}, which this version does not know: install that version, or a later one.": "{file} 由版本 {version} 生成，数据表修订号为 {revision}，当前版本无法识别：请安装该版本或更新的版本。",
    "{file} holds a store of {held}, and KB_DATABASE_URL names one of {wanted}; name one of {held}.": "{file} 中是 {held} 数据库，而 KB_DATABASE_URL 指向 {wanted}；请改为指向 {held}。",
    "The database that KB_DATABASE_URL names holds workspaces. Make a backup of it, then use --force to put this one in its place.": "KB_DATABASE_URL 指向的数据库中已有工作区。请先备份，再用 --force 以此备份替换。",
    "{count} connections of this service use the database that KB_DATABASE_URL names; end its servers first.": "本服务有 {count} 个连接正在使用 KB_DATABASE_URL 指向的数据库；请先停止这些服务。",
    "{folder} is not empty. Name another folder with KB_DATA, or use --force: what is there is then kept aside.": "{folder} 不是空文件夹。请用 KB_DATA 指定其他文件夹，或使用 --force：原有内容会另行保留。",
    "A backup holds every workspace; only an operator of this installation may make, check or download one.": "备份包含所有工作区，仅本安装的运维人员可以生成、校验或下载。",
    "{name} is an operator of this installation, and only an operator may do this to one; on the server there is `kb members link`.": "{name} 是本安装的运维人员，只有运维人员可以对其执行此操作；在服务器上可使用 `kb members link`。",
    "must be an id without empty parts, . or .. between its slashes: a browser cannot open those": "编号中斜杠之间不能为空，也不能是“.”或“..”：浏览器无法打开这样的地址",
    "A backup is just being made; wait until it is done.": "正在生成备份，请等待完成。",
    "It failed: {reason}": "失败：{reason}",
    "{file} is there already; name another file, or use --force.": "{file} 已存在；请换用其他文件名，或使用 --force。",
    "does nothing with --check": "与 --check 同用时无效",
    "There is no workspace yet; create one with `kb workspaces create NAME`.": (
        "还没有工作区；请用 `kb workspaces create NAME` 新建一个。"
    ),
    "only `packaged` can be adapted; it is {model}": "只有 `packaged` 可以适配；现在是 {model}",
    "The shipped lexicon is in force; there is none before it.": "正在使用随附的词典，没有更早的版本。",
    "{file} cannot be read: {reason}; remove it to go back to the shipped lexicon": "无法读取 {file}：{reason}；删除它即可恢复随附的词典",
    "is needed, since there are {names}": "必须指定，因为有多个工作区：{names}",
    "the span and the eight weeks before it hold more than {most} events; take a shorter one": "这段时间与之前八周共有超过 {most} 个事件，请缩短时间范围",
    "must be before the latest event, which is of {latest}": "必须早于最近一个事件（{latest}）",
    "must be after `from`": "必须晚于 `from`",
    "must be at most {days} days before `to`": "与 `to` 最多相差 {days} 天",
    "the span and the one before it hold more than {most} events; take a shorter one": "这段时间与上一段共有超过 {most} 个事件，请缩短时间范围",
    "the span and the half-year before it hold more than {most} resolutions; take a shorter one": "这段时间与之前半年共有超过 {most} 次解决记录，请缩短时间范围",
    "This link was used or has expired; ask for a new one.": "此链接已使用或已过期，请索取新的链接。",
    "Somebody else changed the rules meanwhile; look at them and save again.": "其他人刚刚修改了规则，请查看后再保存。",
    "The rules were changed again since; this change cannot be taken back alone.": "此后规则又有修改，无法单独撤销这次更改。",
    "Another computation of this kind is running; yours can begin when it is done.": "已有同类计算正在进行，完成后即可开始您的计算。",
    "This result is no longer kept; run it again.": "此结果已不再保留，请重新运行。",
    "Somebody changed this meanwhile; look at it before you save yours.": "刚刚有人修改过，保存前请先查看。",
    "These files hold more than {most} documents, which is more than anybody looks through. Upload fewer, or load them with `kb ingest`.": "这些文件中的文档超过 {most} 篇，无法逐一查看。请减少文件，或改用 `kb ingest` 导入。",
    "Somebody changed this document meanwhile; look at it before you change it.": "此文档刚刚被他人修改过，请先查看后再操作。",
    "Somebody changed this document meanwhile; look at it before you save yours.": "此文档刚刚被他人修改过，保存前请先查看。",
    "There is a document {id} already.": "已有编号为 {id} 的文档。",
    "What waited here was published, discarded or kept too long; start again.": "这里的内容已发布、已放弃或已过期，请重新开始。",
    "choose at least one file": "请至少选择一个文件",
    "choose at most {most} files at once": "一次最多选择 {most} 个文件",
    "choose at least one document": "请至少选择一篇文档",
    "These files hold {characters} characters; at most {most} are shown at once. Upload fewer.": "这些文件共有 {characters} 个字符，一次最多预览 {most} 个，请减少文件。",
    "This form is not one that this page made for you; open the page again.": "此表单不是由本页面为您生成的，请重新打开页面。",
    "This needs one of the roles {needed}; you have {present}.": "此操作需要以下角色之一：{needed}；您的角色是 {present}。",
    "There is no such page.": "没有这个页面。",
    "Something else was done since; look again before you change it.": "此后已有其他操作，请重新查看后再更改。",
    "This cannot be taken back.": "此操作无法撤销。",
    "Somebody can sign in already; name the member with --member.": "已有人可以登录；请用 --member 指定成员。",
    "There is no member {id} in this workspace.": "此工作区没有成员 {id}。",
    "must be 1 to 100 characters without blanks and / ? # %": "须为 1 至 100 个字符，不含空格和 / ? # %",
    "there is a webhook {id} already": "Webhook {id} 已存在",
    "there is an intent {id} already": "意图 {id} 已存在",
    "there is an agent {id} already": "客服 {id} 已存在",
    "There is an intent {id} again; it was left as it is.": "意图 {id} 已经重新存在，未作改动。",
    "There is an agent {id} again; they were left as they are.": "客服 {id} 已经重新存在，未作改动。",
    "This is the last administrator of the workspace; make another one first.": "这是该工作区最后一位管理员，请先设置另一位管理员。",
    "there is a workspace {workspace} already": "工作区 {workspace} 已存在",
    "Somebody can sign in to {workspace} already; they invite others.": "{workspace} 已有人可以登录，由其邀请其他成员。",
    "Only an operator of this installation does that; `kb members operator` names one.": "只有本安装的运维人员可以这样做；可用 `kb members operator` 指定。",
    "The request cannot be read": "无法读取请求",
    "A valid key is needed": "需要有效的密钥",
    "This key may not do that": "该密钥没有此权限",
    "Not found": "未找到",
    "This method is not offered here": "此地址不支持该方法",
    "In conflict with the present state": "与当前状态冲突",
    "Too large": "内容过大",
    "This media type is not supported": "不支持该媒体类型",
    "The request holds an error": "请求内容有误",
    "Something failed on our side": "服务内部出错",
    "Busy or not ready, try again shortly": "服务繁忙或尚未就绪，请稍后重试",
    "An unexpected error was logged under this request's id.": "发生意外错误，已按本次请求的编号记入日志。",
    "{reason}": "{reason}",
    "{where}: {reason}": "{where}：{reason}",
    "{count} fields need attention: {names}": "有 {count} 个字段需要修改：{names}",
    "is required": "为必填项",
    "is not a known field; remove it or check its spelling": "不是已知字段，请删除或检查拼写",
    "must be a string": "必须是字符串",
    "must have at least {min_length} characters": "至少要有 {min_length} 个字符",
    "must have at most {max_length} characters": "最多只能有 {max_length} 个字符",
    "must match {pattern}": "必须符合格式 {pattern}",
    "must be a whole number": "必须是整数",
    "must be a language's ISO 639 code, such as zh, en or de": "必须是 ISO 639 语言代码，例如 zh、en 或 de",
    "must give the most that it allows as a number, such as refund:300": "必须写明数字上限，例如 refund:300",
    "must be a whole number of fewer digits": "整数的位数过多，请缩短",
    "must be a number": "必须是数字",
    "must be a finite number": "必须是有限的数字",
    "must be true or false": "必须是 true 或 false",
    "must be a list": "必须是列表",
    "must be an object": "必须是对象",
    "must be one of {expected}": "必须是以下之一：{expected}",
    "must be a date with its year, such as 2026-11-11": "必须是带年份的日期，例如 2026-11-11",
    "must hold something other than blanks": "不能为空白",
    "is not valid: {reason}": "取值无效：{reason}",
    "must be greater than {gt}": "必须大于 {gt}",
    "must be at least {ge}": "不能小于 {ge}",
    "must be less than {lt}": "必须小于 {lt}",
    "must be at most {le}": "不能大于 {le}",
    "must hold at most {max_length} items": "最多只能有 {max_length} 项",
    "must hold at least {min_length} items": "至少要有 {min_length} 项",
    "must be an ISO 8601 time with offset, such as 2026-11-11T00:00:00+08:00": "必须是带时区偏移的 ISO 8601 时间，例如 2026-11-11T00:00:00+08:00",
    "must carry an offset, such as +08:00 or Z": "必须带时区偏移，例如 +08:00 或 Z",
    "must lie between the years 1970 and 2200": "必须在 1970 年至 2200 年之间",
    "must be the name of a time zone, such as Asia/Shanghai or UTC": "必须是时区名称，例如 Asia/Shanghai 或 UTC",
    "must be before {end}, the end of the span": "必须早于时间段的结束 {end}",
    "must be at most {days} days before the end": "距时间段的结束最多 {days} 天",
    "must be a full URL, such as https://example.com/hook": "必须是完整的网址，例如 https://example.com/hook",
    "must be an http or https URL": "必须是 http 或 https 网址",
    "must not contain NUL characters": "不能包含 NUL 字符",
    "holds a character that is not valid Unicode": "含有无效的 Unicode 字符",
    "must be text, a number, true, false or null": "必须是文本、数字、true、false 或 null",
    "must be a file with a file name": "必须是带文件名的文件",
    "must be application/json, with a JSON object as the body": "必须是 application/json，且正文为 JSON 对象",
    "is not valid JSON at character {position}: {error}": "不是有效的 JSON（第 {position} 个字符处：{error}）",
    "is not valid JSON; send one object per line": "不是有效的 JSON，请每行发送一个对象",
    "is not valid UTF-8; encode it as UTF-8": "不是有效的 UTF-8，请改用 UTF-8 编码",
    "is nested too deeply; send a flatter object": "嵌套过深，请减少层级",
    "holds a number with too many digits": "含有位数过多的数字",
    "cannot be read: {reason}": "无法读取：{reason}",
    "must be a JSON object": "必须是 JSON 对象",
    "is longer than {limit} bytes; split or shorten it": "超过 {limit} 字节，请拆分或缩短",
    "is longer than {limit} characters; shorten it": "超过 {limit} 个字符，请缩短",
    "is not a cursor of this list; take next_cursor of the page before, or leave it out": "不是本列表的游标，请使用上一页的 next_cursor 或不填",
    "must have between 1 and 255 printable ASCII characters": "须为 1 至 255 个可打印的 ASCII 字符",
    "is required: send the customer's words here, or a customer's turn in turns": "为必填项：请在此填写顾客的话，或在 turns 中给出顾客的一轮发言",
    "must be a list of words, or an object with the lists add and remove": "必须是词语列表，或含有 add、remove 两个列表的对象",
    "{word} is not among the words of this flow": "{word} 不在该流程的词语之中",
    "must be lower-case letters, digits and _, such as legal": "须由小写字母、数字和 _ 组成，例如 legal",
    "is no flow of the product that could be turned off; give it words": "不是内置流程，无法停用；请填写词语",
    "needs two letters or digits at least, or it would be found everywhere": "至少要有两个文字或数字，否则处处都会匹配",
    "holds only words to leave out (-); give words to find, or [] to turn it off": "只有要排除的词语（-）；请填写要匹配的词语，或用 [] 停用",
    "there is no intent {id}; send one that clarify offered, or leave it out": "没有编号为 {id} 的意图；请填写 clarify 给出的意图，或不填",
    "is not a known parameter; the parameters are {known}": "不是已知参数；可用的参数有：{known}",
    "is not a known parameter; there are none here": "不是已知参数；此地址没有查询参数",
    "There is no exposure {id} in this workspace.": "本工作区没有编号为 {id} 的展示记录。",
    "The exposure {id} showed no answer {answer}.": "展示记录 {id} 中没有答案 {answer}。",
    "is required for an event of type {type}": "在类型为 {type} 的事件中为必填项",
    "is required, or customer_id, so that the event finds its case": "与 customer_id 至少填写一项，以便事件归入对应的会话",
    "names another customer than customer.id; send one of them": "与 customer.id 不是同一位顾客，请只填写其中一项",
    "{at} is more than 5 minutes ahead of the clock; send it when it has happened": "{at} 比当前时间超前 5 分钟以上，请在事件发生之后再发送",
    "There is no event {id} in this workspace.": "本工作区没有事件 {id}。",
    "There is no case {id} in this workspace.": "本工作区没有会话 {id}。",
    "The case {id} is {state}; a new message reopens it.": "会话 {id} 的状态为 {state}，有新消息时会重新打开。",
    "this agent owns the case already; consult another": "该客服已负责此会话，请咨询其他客服",
    "there is no agent {id}": "没有客服 {id}",
    "there is no intent {id}": "没有意图 {id}",
    "there is no problem {id}": "没有问题 {id}",
    "must be written {id}": "应写作 {id}",
    "priority is that of waiting cases; send state=waiting and no agent": (
        "只有等待中的会话才有优先级，请传 state=waiting，且不要指定客服"
    ),
    "There is no problem {id} in this workspace.": "本工作区没有问题 {id}。",
    "names the same problem; name another one": "指向同一个问题，请换一个",
    "is not an alias of this problem": "不是该问题的别名",
    "{id} is not a case of this problem": "{id} 不是该问题下的会话",
    "must be some of the cases that speak of this problem, not all and not none": "必须是反映该问题的部分会话，不能是全部，也不能一个都没有",
    "is required, or count or escalation: a silence ends at a time, after further customers or when it gets worse": "与 count、escalation 至少填写一项：静默须到某一时间、再有若干顾客反映或情况加重时结束",
    "There is no alert {id} in this workspace.": "本工作区没有预警 {id}。",
    "There is no proposal {id} in this workspace.": "本工作区没有建议 {id}。",
    "There is no review {id} in this workspace.": "本工作区没有审核 {id}。",
    "There is no gap {id} in this workspace.": "本工作区没有知识缺口 {id}。",
    "The gap {id} is not dismissed.": "知识缺口 {id} 未被忽略。",
    "The review {id} was judged {verdict} before; to change that, send it as `replaces`.": (
        "审核 {id} 此前的结论为 {verdict}；如需更改，请在 `replaces` 中写明该结论。"
    ),
    "The review {id} was not judged {replaces} before; leave out `replaces`.": (
        "审核 {id} 此前的结论不是 {replaces}，请去掉 `replaces`。"
    ),
    "Only an editor may decide that {documents} may be sent again.": "只有编辑可以决定重新允许自动发送 {documents}。",
    "There is no move {id} in this workspace.": "本工作区没有排序调整 {id}。",
    "The move {id} is not in force; nothing is left to take back.": "排序调整 {id} 已不生效，无可撤回。",
    "There is no calibration {id} of the model {model}.": "没有属于模型 {model} 的校准 {id}。",
    "The calibration {id} was fitted by another version; fit it anew.": "校准 {id} 由其他版本拟合，请重新拟合。",
    "the questions have no split {split}; their splits: {present}": "问题中没有划分 {split}；现有划分：{present}",
    "goes with --calibrate only": "只能与 --calibrate 一同使用",
    "is part of --calibrate": "已包含在 --calibrate 中",
    "needs questions to fit on and others to judge by": "需要一部分问题用于拟合，另一部分用于评判",
    "There is no experiment {id} in this workspace.": "本工作区没有试验 {id}。",
    "The experiment {id} is over ({state}); begin another.": "试验 {id} 已结束（{state}），请另建一个。",
    "The experiment {id} is running; {names} cannot change. Stop it and begin another.": (
        "试验 {id} 正在进行，不能更改 {names}。请先停止，再另建一个。"
    ),
    "does not change while the experiment runs": "在试验进行期间不能更改",
    "The experiment {other} is running and changes {names} too; stop it first.": (
        "试验 {other} 正在进行，且同样更改 {names}；请先停止它。"
    ),
    "is tried by the experiment {other}": "试验 {other} 正在试用此项",
    "is so already without the experiment; try something else": "不做试验也已如此，请试用别的方案",
    "must lie in the future": "必须晚于当前时间",
    "must lie after starts_at": "必须晚于 starts_at",
    "must be at most {most} with a share of {share}, since the first {read} units of both arms are read; send less, or a share nearer to 0.5": (
        "在比例 {share} 下不能大于 {most}，因为两组合计只读取前 {read} 个单位；请调小，或选用更接近 0.5 的比例"
    ),
    "must not be less than minimum, which is {minimum}": "不能小于 minimum（{minimum}）",
    "must name at least one thing that differs: {names}": "至少要填写一项不同之处：{names}",
    "{metric} is guarded twice; give it once": "{metric} 重复设置了护栏，请只设置一次",
    "is for routing rules; people write documents and policies": "仅适用于路由规则；文档和政策由人来撰写",
    "is for rules that send an intent to another expertise; this cannot be tried on a part": "仅适用于把某个意图改送其他专长的规则；此项无法在部分顾客中试行",
    "cannot be asked for together with `apply`; a trial comes first": "不能与 `apply` 同时使用；应先试行",
    "Only an editor may change the intent {id}.": "只有编辑可以修改意图 {id}。",
    "there is no expertise {id}": "没有专长 {id}",
    "The proposal {id} was {state} before.": "建议 {id} 此前已处理为 {state}。",
    "There is no intent {id} in this workspace.": "本工作区没有意图 {id}。",
    "There is no agent {id} in this workspace.": "本工作区没有客服 {id}。",
    "There is no expertise {id} in this workspace.": "本工作区没有专长 {id}。",
    "{id} is named twice; give each its own": "{id} 出现了两次，请各用不同的编号",
    "There is no webhook {id} in this workspace.": "本工作区没有 Webhook {id}。",
    "must be a mail server, such as smtp://user:password@mail.example.com:587": "必须是邮件服务器，例如 smtp://user:password@mail.example.com:587",
    "must not name a user together with tls=none": "使用 tls=none 时不能填写用户名",
    "must be a mail address, such as team@example.com": "必须是邮箱地址，例如 team@example.com",
    "is for the formats feishu and dingtalk only": "仅用于 feishu 与 dingtalk 格式",
    "must hold printable characters only": "只能包含可打印字符",
    "must be after `since`": "必须晚于 `since`",
    "the span holds more than {most} messages; take a shorter one": "这段时间有超过 {most} 条消息，请缩短时间范围",
    "There is no delivery {id} of this webhook.": "该 Webhook 没有投递记录 {id}。",
    "The webhook {id} is disabled ({reason}); PUT it again to enable it.": "Webhook {id} 已停用（{reason}），重新 PUT 即可启用。",
    "the address {host} is not public; KB_WEBHOOK_ALLOW may name its network": "地址 {host} 不是公网地址；如确需访问，请在 KB_WEBHOOK_ALLOW 中列出其网段",
    "{part} is not a CIDR, such as 10.0.0.0/8": "{part} 不是 CIDR 网段，正确写法如 10.0.0.0/8",
    "There is no document {external_id} in this workspace.": "本工作区没有文档 {external_id}。",
    "{id} is already used by {other}; give each document an id of its own": "{id} 已被 {other} 使用，请为每篇文档指定各自的编号",
    "Send a key in the header `Authorization: Bearer KEY`.": "请在请求头中发送密钥：`Authorization: Bearer KEY`。",
    "This key is unknown or was revoked; create one with `kb keys create`.": "该密钥不存在或已吊销，请用 `kb keys create` 新建。",
    "This needs a key with one of the roles {needed}; this key has {present}.": "此操作需要具有以下任一角色的密钥：{needed}；当前密钥的角色为 {present}。",
    "There is no valid key {id}.": "没有有效的密钥 {id}。",
    "choose at least one": "请至少选择一项",
    "{id} is no question of the calibrate split": "{id} 不是 calibrate 部分的问题",
    "must be some of {known}, separated by commas": "必须从 {known} 中选择，以逗号分隔",
    "there is no workspace {workspace!r}": "没有工作区“{workspace}”",
    "there is a workspace {workspace!r} already": "已有工作区“{workspace}”",
    "There is no workspace {workspace}; create it with `kb workspaces create {workspace}`.": "没有工作区 {workspace}，请用 `kb workspaces create {workspace}` 新建。",
    "must be 1 to 64 letters, digits, '.', '_' or '-' and begin with a letter or digit": "须为 1 至 64 个字母、数字、“.”、“_”或“-”，并以字母或数字开头",
    "The workspace {workspace} is still loading.": "工作区 {workspace} 仍在加载。",
    "What is known of the problems of {workspace} is just being put together.": "正在整理工作区 {workspace} 的问题资料。",
    "Too many requests are being worked on; try again shortly.": "正在处理的请求过多，请稍后重试。",
    "The body is larger than {limit} bytes; send less, or a batch line by line.": "正文超过 {limit} 字节，请减少内容，或改用批量接口逐行发送。",
    "The Idempotency-Key {key} was used with another body; use a new key for a new request.": "Idempotency-Key {key} 已用于另一正文，新的请求请使用新的键。",
    "the store has no free connection; try again": "存储没有空闲连接，请重试",
    "the store cannot be reached; try again": "无法连接存储，请重试",
    "the store cannot write, its disk is full or failing; try again once that is mended": "存储无法写入，磁盘已满或发生故障，请在排除后重试",
    "the store is busy with another write; try again": "存储正在执行其他写入，请重试",
    "SQLite needs a file: sqlite:///path/to/kb.sqlite3": "SQLite 需要指定文件：sqlite:///path/to/kb.sqlite3",
    "must begin with sqlite:/// or postgresql://": "必须以 sqlite:/// 或 postgresql:// 开头",
    "KB_DATA: {folder} cannot be used ({reason}); mend its permissions or name another folder": "KB_DATA:{folder} 无法使用（{reason}），请修改其权限或换一个目录",
    "is not TOML: {reason}": "不是 TOML:{reason}",
    "is empty; say what to look for": "为空，请说明要查找的内容",
    "is not UTF-8 at byte {byte}": "第 {byte} 个字节处不是 UTF-8",
    "{name} is missing": "缺少 {name}",
    "must be an object with query, language and expected: {error}": "必须是含 query、language 和 expected 的对象：{error}",
    "{path} has no question of the split calibrate": "{path} 中没有属于 calibrate 的问题",
    "{path} holds no question": "{path} 中没有问题",
    "{path} has no question of {split}; its splits: {present}; --split '' takes all": "{path} 中没有属于 {split} 的问题；现有划分：{present}；--split '' 表示全部",
    "must be at least first_response_minutes, {least}": "不能小于 first_response_minutes（{least}）",
    "must be at most that of {slower}, which is {most}: what is more urgent is promised no later": "不能大于 {slower} 的值（{most}）：越紧急，承诺的时限就不能越晚",
    "There is no proposal of weights {id} in this workspace.": "此工作区没有权重提案 {id}。",
    "The weights of {id} are in force already.": "{id} 的权重已经生效。",
    "No learned weights are in force; there is nothing to take back.": "没有正在生效的学得权重，无可撤回。",
    "The weights were changed by hand after {id} was applied; set them with PUT /v1/rules.": "应用 {id} 之后权重又被手动修改；请用 PUT /v1/rules 设置。",
    "no such factor; the factors are {known}": "没有这个因素；可用的因素有：{known}",
    "is not JSON: {reason}": "不是 JSON:{reason}",
}


def translate(template: str, language: Language, params: Mapping[str, Any]) -> str:
    """The text of `template` in `language`, filled with `params`."""
    if language == "zh":
        prefix = "{field}: "
        if template.startswith(prefix) and template not in ZH:
            template = "{field}：" + ZH.get(template.removeprefix(prefix), template.removeprefix(prefix))
        else:
            template = ZH.get(template, template)
    return template.format(**params) if params else template


def preferred_language(accept_language: str | None) -> Language:
    """Chinese or English by an `Accept-Language` header (RFC 9110 weights); English when neither is named."""
    return named_language(accept_language) or "en"


def named_language(accept_language: str | None) -> Language | None:
    """Chinese or English where an `Accept-Language` header names it, else None: `*` and other languages name none."""
    weights: dict[str, float] = {}
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        weight = 1.0
        if parameters.strip().startswith("q="):
            try:
                weight = float(parameters.strip()[2:])
            except ValueError:
                weight = 0.0
        primary = tag.strip().lower().partition("-")[0]
        if primary in ("zh", "en"):
            weights[primary] = max(weight, weights.get(primary, 0.0))
    if not any(weight > 0 for weight in weights.values()):
        return None
    return "zh" if weights.get("zh", 0.0) > weights.get("en", 0.0) else "en"
