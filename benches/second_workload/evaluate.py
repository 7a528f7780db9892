#!/usr/bin/env python3
"""evaluate.py BINARY OUTDIR SEED...: runs analyze, compares with the truth, prints recall, false alarms, calibration and their causes."""
import sys, json, subprocess, os, re, statistics as st, datetime as dt, resource, time
from collections import Counter, defaultdict
BIN,DIR=sys.argv[1:3]; SEEDS=[int(x) for x in sys.argv[3:]]; REUSE=os.environ.get('REUSE')
D=86400.0
def ep(s):
    m=re.match(r'(.*?)(\.\d+)?Z$',s); return dt.datetime.fromisoformat(m[1]+'+00:00').timestamp()+float(m[2] or 0)
KINDS=['burst','harvest','denial_fast','denial_slow','source','mixed','slow','off_hours']
allA=[];FA=[];EARLY=[];weeks=0;dup=0
for s in SEEDS:
    f=f'{DIR}/s{s}.log.zst'; o=f'{DIR}/s{s}.ep.json'; truth=json.load(open(f'{DIR}/s{s}.json'))
    if not (REUSE and os.path.exists(o)):
        t=time.time()
        r=subprocess.run(['/usr/bin/time','-f','%M KB max, %U s user','nice','-n','5',BIN,'analyze',f,'--format','json','--min-score','0'],stdout=open(o,'wb'),stderr=subprocess.PIPE,text=True)
        print(f'seed {s}: {time.time()-t:.1f} s wall, exit {r.returncode}, {r.stderr.strip()[-300:]}')
        if r.returncode: sys.exit('analyze failed')
    E=json.load(open(o))['episodes']; t0=truth['start']; begin=t0+28*D; weeks+=(truth['end']-begin)/(7*D)
    names=truth['subjects']
    for e in E:
        e['o']=ep(e['opened_at']); e['u']=ep(e['updated_at']); e['r']=[(ep(x['at']),x['score']) for x in e['raised']] or [(e['o'],e['score'])]
        e['pageable']=e['class']=='security' and not all(c['name']=='silence' for c in e['components'])
        e['seed']=s; e['ent']=e['subject'].get('entity_id'); e['who']=names.get(e['ent'],{}).get('name') or e['subject'].get('display_name') or e['subject'].get('mount'); e['skind']=names.get(e['ent'],{}).get('kind','?')
        e['comp']='+'.join(c['name'] for c in e['components'][:2] if c['score']>=.4*e['components'][0]['score'])
    win=defaultdict(list)
    for a in truth['attacks']:
        a['seed']=s; hi=a['end']+(7 if a['kind']=='slow' else 1)*D; a['best']=0; a['ev']=[]; win[a['entity']].append((a['start'],hi))
        for e in E:
            if e['ent']!=a['entity'] or not e['pageable']: continue
            for t,v in e['r']:
                if a['start']-1<=t<=hi: a['ev'].append((t,v,e)); a['best']=max(a['best'],v)
        allA.append(a)
    allw=[(a['start'],a['end']+D) for a in truth['attacks'] if a['kind']!='slow']
    sale=[ep(x+'Z') for x in truth['sale']]; X=os.environ.get('EXCLUDE','').split(',')
    for e in E:
        if not e['pageable']: continue
        if 'sale' in X and sale[0]<=e['o']<=sale[1]+D and e['components'][0]['name'] in('slow','burst_1d'): continue
        if e['components'] and e['components'][0]['name'] in X: continue
        if e['skind'] in X: continue
        if e['ent'] and any(e['u']>=a and e['o']<=b for a,b in win.get(e['ent'],[])): continue
        if e['o']>=begin: FA.append(e)
        elif e['o']>=t0: EARLY.append(e)
sc=sorted((e['score'] for e in FA),reverse=True)
def thr(rate):
    n=int(rate*weeks); return (sc[n]+1e-6 if n<len(sc) else 0)
def rec(t,kind=None):
    A=[a for a in allA if kind in(None,a['kind'])]; return sum(a['best']>=max(t,1e-9) for a in A)/len(A)
print(f'\n{len(SEEDS)} seeds, {len(allA)} attacks, {weeks:.0f} weeks scored (5-12)')
print('| false alarms/week | threshold | recall |'); print('|---|---|---|')
for r in (.5,1,2,7): print(f'| {r} | {thr(r):.1f} | {rec(thr(r)):.3f} |')
b=sorted((a['best'] for a in allA),reverse=True)
for q in (.8,.9):
    import math
    t=b[math.ceil(q*len(b))-1]; print(f'false alarms/week at {q:.0%} recall: {sum(x>=t for x in sc)/weeks:.1f} (threshold {t:.1f})' if t>0 else f'{q:.0%} recall is never reached (best {rec(1e-9):.3f})')
print('\nper kind: recall at 1/wk (7/wk; at score 43) and median delay at 43')
t1,t7=thr(1),thr(7)
for k in KINDS:
    A=[a for a in allA if a['kind']==k]; dl=[]
    for a in A:
        x=[t for t,v,e in a['ev'] if v>=43]
        if x: dl.append((min(x)-a['start'])/60)
    print(f'| {k} | {rec(t1,k):.2f} | {rec(t7,k):.2f} | {rec(43,k):.2f} | '+(f'{st.median(dl):.1f} min (max {max(dl):.0f})' if dl else '-')+f' | n={len(A)} |')
pages=[e for e in FA if e['severity']=='page']
print(f'\nthe default (budget 1): {len(pages)} false pages in {weeks:.0f} weeks = {len(pages)/weeks:.2f}/week, of these by a rule {sum(e["by_rule"] for e in pages)}; recall by pages {rec(43):.3f}')
print(f'notices or more (25): {sum(x>=25 for x in sc)/weeks:.1f}/week')
for bgt,th in((.5,49.3),(1,43),(2,36.4),(7,25)): n=sum(x>=th for x in sc)/weeks; print(f'  budget {bgt}/wk -> score {th:.0f}: {n:.2f}/wk, factor {n/bgt:.1f}')
print(f'weeks 1-4 (learning): {sum(e["severity"]=="page" for e in EARLY)} pages in {4*len(SEEDS)} weeks; first 48 h {sum(e["severity"]=="page" and e["o"]<truth["start"]+2*D for e in EARLY)}')
print('false pages by strongest components:',Counter(e['comp'] for e in pages).most_common())
print('by kind of subject:',Counter(e['skind'] if e['subject']['kind']!='mount' else 'mount' for e in pages).most_common())
if os.environ.get('LIST'):
    print('\nMISSED at 43'); 
    for a in sorted(allA,key=lambda a:(a['kind'],a['best'])):
        if a['best']<43:
            print(f"  seed {a['seed']} {a['kind']:12} {a['best']:5.1f} {a['name']:16} ({a['subject_kind']}) {dt.datetime.fromtimestamp(a['start'],dt.timezone.utc):%m-%d %H:%M} {a['detail']} n={a['n']} "+'; '.join(f'{c["name"]}={c["score"]:.0f}' for e in {id(x[2]):x[2] for x in a['ev']}.values() for c in e['components'][:4])[:160])
    print('\nFALSE ALARMS from the top')
    for e in sorted(FA,key=lambda e:-e['score'])[:int(os.environ['LIST'])]:
        print(f"  seed {e['seed']} {e['score']:5.1f} {e['severity']:6} {e['opened_at'][5:16]} {e['who']} ({e['skind']}) {e['comp']} | {e['summary'][:330]} [{e['id']}]")
